"""The nouns every part of the house shares: requests, results, and what an engine must do."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Literal, Protocol, Self, get_args

import numpy as np
from numpy.typing import NDArray

from kuamo.errors import KuamoError
from kuamo.media.audio import Audio
from kuamo.media.image import Image

Capability = Literal["answer", "chat", "draw", "restore", "transcribe", "speak", "align", "embed", "read", "detect"]
Role = Literal["system", "user", "assistant", "tool"]
Scheduler = Literal["dpm++", "euler", "euler-a", "ddim", "unipc", "lcm"]
Precision = Literal["auto", "fp32", "bf16", "fp16", "int8", "nf4"]

LONGEST_SIDE = 2048
"""The most pixels that a drawing may have in width or height."""


def within(what: str, value: float, low: float, high: float) -> None:
    """Raise KuamoError out_of_range unless low <= value <= high (NaN never is)."""
    if not (isfinite(value) and low <= value <= high):
        raise KuamoError("out_of_range", what=what, value=value, low=low, high=high)


# --- requests


@dataclass(frozen=True, kw_only=True)
class Request:
    """What every request may say: the catalogue's name of a model, and the language (BCP 47) it is in."""

    model: str | None = None
    language: str | None = None


@dataclass(frozen=True)
class ToolCall:
    """A tool that a model wants called, with its arguments."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Message:
    """One turn of a conversation; its images come before its text, the tools it calls after it.

    What a tool gave is a turn of the role `tool`, in the order of the calls.
    """

    role: Role
    text: str
    images: tuple[Image, ...] = ()
    calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How text is drawn from a model; temperature 0 takes the likeliest token each time.

    The text ends before the first of the `stop` sequences.
    """

    max_new_tokens: int = 200
    temperature: float = 0.3
    top_p: float = 0.9
    seed: int | None = None
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        within("max_new_tokens", self.max_new_tokens, 1, 32_768)
        within("temperature", self.temperature, 0, 2)
        within("top_p", self.top_p, 0.01, 1)


@dataclass(frozen=True, kw_only=True)
class ChatRequest(Request):
    """A conversation to continue, for `chat` and, with images in it, for `answer`.

    `tools` are functions that the model may call, as JSON has them: type, function with name, description, parameters.
    """

    messages: tuple[Message, ...]
    sampling: Sampling = Sampling()
    tools: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True)
class DrawRequest(Request):
    """Pictures to make; the n-th has seed + n. What is None is the model's own.

    Width and height in pixels, multiples of 8. With `image` it is drawn over, the more the nearer `strength` is to 1:
    that share of the steps is taken. Where no size is given, at its own, or less where that is more than the model
    draws at. With `mask` too, of the same size as the image, only where that is white.
    """

    prompt: str
    negative_prompt: str = ""
    width: int | None = None
    height: int | None = None
    steps: int | None = None
    guidance: float | None = None
    scheduler: Scheduler | None = None
    count: int = 1
    seed: int | None = None
    image: Image | None = None
    mask: Image | None = None
    strength: float = 0.75

    def __post_init__(self) -> None:
        for what, value in (("width", self.width), ("height", self.height)):
            if value is not None:
                within(what, value, 8, LONGEST_SIDE)
                if value % 8:
                    raise KuamoError("not_a_multiple", what=what, value=value, factor=8)
        within("steps", 1 if self.steps is None else self.steps, 1, 500)
        within("guidance", 0 if self.guidance is None else self.guidance, 0, 50)
        within("count", self.count, 1, 4)
        within("strength", self.strength, 0.01, 1)
        within("seed", self.seed or 0, 0, 2**53)
        if self.scheduler not in (None, *get_args(Scheduler)):
            possible = ", ".join(get_args(Scheduler))
            raise KuamoError("not_one_of", what="scheduler", value=self.scheduler, possible=possible)
        self._check_mask()

    def _check_mask(self) -> None:
        if self.mask is None:
            return
        if self.image is None:
            raise KuamoError("mask_alone")
        sizes = [f"{picture.width}×{picture.height}" for picture in (self.mask, self.image)]
        if sizes[0] != sizes[1]:
            raise KuamoError("mask_of_another_size", mask=sizes[0], picture=sizes[1])


@dataclass(frozen=True, kw_only=True)
class RestoreRequest(Request):
    """A picture to make sharper: `scale` times as wide and as high, or, with 1, deblurred at its own size."""

    image: Image
    scale: Literal[1, 2, 4] = 2


@dataclass(frozen=True, kw_only=True)
class TranscribeRequest(Request):
    """Speech to write down; `language` None lets the model find it. With `translate`, in English."""

    audio: Audio
    translate: bool = False


@dataclass(frozen=True, kw_only=True)
class SpeakRequest(Request):
    """Text to say. `voice` is one of the model's own names; speed 1 is its normal rate."""

    text: str
    voice: str | None = None
    speed: float = 1.0

    def __post_init__(self) -> None:
        within("speed", self.speed, 0.25, 4)


@dataclass(frozen=True, kw_only=True)
class AlignRequest(Request):
    """A recording and the text spoken in it."""

    audio: Audio
    text: str


@dataclass(frozen=True, kw_only=True)
class EmbedRequest(Request):
    """Texts or images (one kind) to turn into vectors."""

    texts: tuple[str, ...] = ()
    images: tuple[Image, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReadRequest(Request):
    """A picture whose text is wanted."""

    image: Image


@dataclass(frozen=True, kw_only=True)
class DetectRequest(Request):
    """A recording in which speech is looked for."""

    audio: Audio


# --- pieces and results


@dataclass(frozen=True)
class Trace:
    """Where a result came from: the model as the catalogue names it, its source and revision, the seconds it took."""

    capability: Capability
    model: str
    source: str
    revision: str
    device: str
    precision: str
    seconds: float


@dataclass(frozen=True)
class Span:
    """A stretch of a recording, in seconds from its start."""

    start_seconds: float
    end_seconds: float


@dataclass(frozen=True)
class Word(Span):
    """A word (a character, in Chinese) and when it is spoken; score is a probability, None where the model has none."""

    text: str
    score: float | None = None


@dataclass(frozen=True)
class Segment(Span):
    """A stretch of speech written down, with its words where the model times them."""

    text: str
    words: tuple[Word, ...] = ()
    language: str | None = None


@dataclass(frozen=True)
class Line:
    """A line of text read in a picture: four corners (x, y) in pixels, clockwise from the top left; score 0 to 1."""

    text: str
    corners: tuple[tuple[float, float], ...]
    score: float


@dataclass(frozen=True)
class SpeechChunk:
    """A piece of spoken audio; its words' times count from the start of the whole."""

    audio: Audio
    words: tuple[Word, ...] = ()


@dataclass(frozen=True)
class DrawStep:
    """A denoising step done, of how many, with a picture of the state where the engine can give one."""

    step: int
    steps: int
    preview: Image | None = None


@dataclass(frozen=True)
class Picture:
    """A picture made, and the seed that makes it again; None where a server keeps it to itself."""

    image: Image
    seed: int | None


@dataclass(frozen=True)
class Ending:
    """How a turn ended: the tokens that were read and written, what ended it, and the tools to call before the next.

    `stop`: the model itself or a stop sequence; `length`: the limit; `calls`: the model wants tools called.
    """

    prompt_tokens: int
    new_tokens: int
    end: Literal["stop", "length", "calls"]
    calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True)
class Answer:
    """A reply; `places` are the lines of a picture it was read from, empty where a model saw for itself.

    `ending` is None where no language model wrote it, or one that does not tell.
    """

    text: str
    places: tuple[Line, ...]
    traces: tuple[Trace, ...]
    ending: Ending | None = None


@dataclass(frozen=True)
class Drawing:
    """The pictures made for one request.

    `request` is how it was carried out, with the model's own numbers where none were given (what a server keeps to
    itself stays None). `original` is the prompt as it was written where the request's is a translation, else None.
    """

    pictures: tuple[Picture, ...]
    traces: tuple[Trace, ...]
    request: DrawRequest
    original: str | None = None


@dataclass(frozen=True)
class RestoreStep:
    """A part of a picture made sharper, of how many parts."""

    step: int
    steps: int


@dataclass(frozen=True)
class Restoration:
    """A picture made sharper."""

    image: Image
    traces: tuple[Trace, ...]


@dataclass(frozen=True)
class Transcript:
    """Speech written down."""

    segments: tuple[Segment, ...]
    traces: tuple[Trace, ...]

    @property
    def text(self) -> str:
        """The segments' text; joined by a space, except where Chinese meets Chinese."""
        return join_text(segment.text for segment in self.segments)

    @property
    def words(self) -> tuple[Word, ...]:
        """The words of all segments, in order."""
        return tuple(word for segment in self.segments for word in segment.words)


@dataclass(frozen=True)
class Speech:
    """Text spoken; `words` where the engine times them."""

    audio: Audio
    words: tuple[Word, ...]
    traces: tuple[Trace, ...]


@dataclass(frozen=True)
class Alignment:
    """A text timed against its recording."""

    words: tuple[Word, ...]
    traces: tuple[Trace, ...]

    @property
    def score(self) -> float | None:
        """The mean score of the words, 0 to 1: low where the text is not what was said; None without scores."""
        scores = [word.score for word in self.words if word.score is not None]
        return sum(scores) / len(scores) if scores else None


@dataclass(frozen=True)
class Reading:
    """The text in a picture, in reading order."""

    lines: tuple[Line, ...]
    traces: tuple[Trace, ...]


@dataclass(frozen=True)
class Detection:
    """Where there is speech in a recording."""

    spans: tuple[Span, ...]
    traces: tuple[Trace, ...]


@dataclass(frozen=True)
class Embedding:
    """Unit vectors, float32, shape (n, d)."""

    vectors: NDArray[np.float32] = field(repr=False)
    traces: tuple[Trace, ...]


def join_text(parts: Iterator[str] | tuple[str, ...]) -> str:
    """Join texts with one space, but none between two Chinese characters (Korean ones are spaced)."""
    joined = ""
    for part in filter(None, (part.strip() for part in parts)):
        wide = joined and all(ord(side) > 0x2E7F and not "가" <= side <= "힣" for side in (joined[-1], part[0]))
        joined += part if wide or not joined else " " + part
    return joined


# --- engines: a class with `load` and one method for each capability its catalogue rows name


class Engine(Protocol):
    """What each engine has beside its capability's method, which is named by the capability.

    answer, chat: (ChatRequest) -> Generator[str, None, Ending | None]
    draw: (DrawRequest) -> Iterator[DrawStep | Picture]
    transcribe: (TranscribeRequest) -> Iterator[Segment] speak: (SpeakRequest) -> Iterator[SpeechChunk]
    align: (AlignRequest) -> tuple[Word, ...]            embed: (EmbedRequest) -> NDArray[np.float32] of unit rows
    restore: (RestoreRequest) -> Generator[RestoreStep, None, Image]
    read: (ReadRequest) -> tuple[Line, ...]              detect: (DetectRequest) -> tuple[Span, ...]
    An engine that answers or talks and can use tools has calls_tools = True.
    An engine that can write speech down in English has translates = True.
    An engine that transcribes several languages may have identify: (TranscribeRequest) -> str, the language spoken.
    An engine that draws may have settle: (DrawRequest) -> DrawRequest, which fills in what is the model's own. It is
    loaded with safety_checker=False where the operator switched that off.
    Engines are synchronous, change no request, and stop when their iterator is closed.
    """

    device: str
    precision: str

    @classmethod
    def load(cls, source: str, *, device: str, precision: Precision, **options: Any) -> Self:
        """Load from a local folder, a URL or, where the engine's package carries its model, its name.

        `device` is "auto" or a torch device; `precision` "auto" picks what the device runs best.
        """
        ...
