"""Any server that speaks the OpenAI wire: hosted, or on the premises (vLLM, Ollama, LocalAI and others)."""

from base64 import b64decode, b64encode
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, closing
from io import BytesIO
from itertools import takewhile
from typing import Any, Self
from urllib.parse import urldefrag, urlsplit

import numpy as np
import openai
import PIL.ImageOps
from numpy.typing import NDArray

from kuamo.contracts import (
    ChatRequest,
    DrawRequest,
    EmbedRequest,
    Ending,
    Message,
    Picture,
    Precision,
    Segment,
    SpeakRequest,
    SpeechChunk,
    TranscribeRequest,
    Word,
)
from kuamo.engines.openai_wire import (
    Chunk,
    DrawnPicture,
    DrawnPictures,
    TimedWord,
    Tokens,
    Vectors,
    WrittenSpeech,
    faults,
    without_refused,
)
from kuamo.errors import KuamoError
from kuamo.media.audio import stream_audio
from kuamo.media.image import Image, from_pil, read_image
from kuamo.media.limits import Limits

CONNECT_SECONDS = 10.0
RETRIES = 1
PNG_BYTES = 2_000_000  # a larger picture travels as JPEG
JPEG_SIDE = 65_500
SPEECH_RATE_HZ = 16_000  # recognisers work at this rate
TEXTS_AT_ONCE = 256
LANGUAGES = {"english": "en", "chinese": "zh"}  # whisper-1 tells a language by its English name


class Remote:
    """A model on a server. Requests run side by side: queueing and batching are the server's."""

    device = "remote"
    precision = "remote"
    concurrent = True
    translates = True

    def __init__(self, client: openai.OpenAI, model: str, voice: str, key: str) -> None:
        self._client = client
        self._model = model
        self._voice = voice
        self._key = key
        self._server = urlsplit(str(client.base_url)).netloc.rpartition("@")[2]

    @classmethod
    def load(
        cls,
        source: str,
        *,
        device: str,
        precision: Precision,
        key: str = "",
        needs_key: bool = False,
        timeout_seconds: float = 120,
        voice: str = "alloy",
    ) -> Self:
        """Make a client for `source`, http(s)://host/v1#model; nothing is sent yet.

        `timeout_seconds`: the longest silence; `voice`: what `speak` uses where the request names none.
        Raises KuamoError remote_model_missing, or remote_key_missing where the server is known to want a key.
        """
        url, model = urldefrag(source)
        if not model:
            raise KuamoError("remote_model_missing", source=source)
        if needs_key and not key:
            raise KuamoError("remote_key_missing", server=urlsplit(url).hostname, model=model)
        client = openai.OpenAI(
            base_url=url,
            api_key=key or "none",  # the client sends one always; servers without keys ignore it
            admin_api_key="",  # nothing is taken from the OPENAI_ variables
            organization="",
            project="",
            timeout=openai.Timeout(timeout_seconds, connect=min(timeout_seconds, CONNECT_SECONDS)),
            max_retries=RETRIES,
        )
        return cls(client, model, voice, key)

    def chat(self, request: ChatRequest) -> Generator[str, None, Ending | None]:
        """Yield the next turn as it is written. Closing the iterator closes the connection.

        Raises KuamoError remote_… (see messages.toml), as every method does.
        """
        silent, end, tokens = True, "", Tokens()
        with self._faults(), closing(self._turns(request)) as chunks:
            for chunk in map(Chunk.of, chunks):
                tokens = chunk.usage or tokens
                for choice in chunk.choices[:1]:
                    end = choice.finish_reason or end
                    if choice.delta.content:
                        silent = False
                        yield choice.delta.content
        if silent:
            raise KuamoError("remote_silent", server=self._server, model=self._model)
        if tokens.prompt_tokens is None or tokens.completion_tokens is None:
            return None
        return Ending(tokens.prompt_tokens, tokens.completion_tokens, "length" if end == "length" else "stop")

    answer = chat

    def _turns(self, request: ChatRequest) -> Any:
        sampling = request.sampling
        optional = {
            "max_tokens": sampling.max_new_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "stream_options": {"include_usage": True},
        }
        return without_refused(
            self._client.chat.completions.create,
            optional,
            model=self._model,
            messages=[_turn(message) for message in request.messages],
            seed=openai.omit if sampling.seed is None else sampling.seed,
            stop=list(sampling.stop) or openai.omit,
            stream=True,
        )

    def draw(self, request: DrawRequest) -> Iterator[Picture]:
        """Yield the pictures one by one; steps and guidance are the server's own.

        A negative prompt and a seed are sent as the servers of open models know them. A picture of another size than
        the one asked is scaled and cropped at its centre. Raises KuamoError no_start_picture for an image.
        """
        if request.image is not None:
            raise KuamoError("no_start_picture")
        for number in range(request.count):
            seed = None if request.seed is None else request.seed + number
            extra: dict[str, Any] = {} if seed is None else {"seed": seed}
            if request.negative_prompt:
                extra["negative_prompt"] = request.negative_prompt
            yield Picture(self._draw_one(request, extra), seed)

    def _draw_one(self, request: DrawRequest, extra: dict[str, Any]) -> Image:
        width, height = request.width or request.height, request.height or request.width
        size = (width, height) if width and height else None
        optional = {"size": f"{width}x{height}"} if size else {}
        with self._faults():
            answer = without_refused(
                self._client.images.generate,
                {**optional, "response_format": "b64_json"},
                model=self._model,
                prompt=request.prompt,
                n=1,
                extra_body=extra,
            )
            image = self._decoded(DrawnPictures.of(answer).data[0])
        if size in (None, (image.width, image.height)):
            return image
        return from_pil(PIL.ImageOps.fit(image.pil(), size))

    def _decoded(self, picture: DrawnPicture) -> Image:
        """Return a picture that came in the answer itself; an address that the server names is not fetched."""
        head, _, inside = (picture.url or "").partition(";base64,")
        data = picture.b64_json or (inside if head.startswith("data:image/") else "")
        try:
            return read_image(b64decode(data, validate=True), Limits(), self._server)
        except KuamoError as error:
            raise self._malformed() from error

    def transcribe(self, request: TranscribeRequest) -> Iterator[Segment]:
        """Yield segments with words and times, or, where the server gives none, the whole text as one segment."""
        sound = request.audio.at(SPEECH_RATE_HZ).encode("flac")
        form: dict[str, Any] = {"response_format": "verbose_json"}
        create: Any = self._client.audio.translations.create
        if not request.translate:
            create = self._client.audio.transcriptions.create
            form["timestamp_granularities"] = ["word", "segment"]
            form["language"] = request.language.split("-")[0] if request.language else openai.omit
        with self._faults():
            answer = without_refused(create, form, model=self._model, file=("speech.flac", sound, "audio/flac"))
            speech = WrittenSpeech.of(answer)
        yield from _segments(speech, request)

    def speak(self, request: SpeakRequest) -> Iterator[SpeechChunk]:
        """Yield the audio as it arrives. The wire has no field for a language: the server finds it in the text."""
        speech = self._client.audio.speech.with_streaming_response
        with (
            self._faults(),
            speech.create(
                model=self._model,
                input=request.text,
                voice=request.voice or self._voice,
                response_format="wav",
                speed=openai.omit if request.speed == 1 else request.speed,
            ) as response,
        ):
            try:
                yield from map(SpeechChunk, stream_audio(response.iter_bytes(), Limits(), self._server))
            except KuamoError as error:
                raise self._malformed() from error

    def embed(self, request: EmbedRequest) -> NDArray[np.float32]:
        """Return one unit row for each text. Raises KuamoError remote_texts_only for pictures."""
        if request.images:
            raise KuamoError("remote_texts_only", server=self._server)
        rows: list[list[float]] = []
        for start in range(0, len(request.texts), TEXTS_AT_ONCE):
            rows += self._embed_some(list(request.texts[start : start + TEXTS_AT_ONCE]))
        if len({len(row) for row in rows}) != 1:
            raise self._malformed()
        vectors = np.array(rows, dtype=np.float32)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (np.isfinite(lengths) & (lengths > 0)).all():
            raise self._malformed()
        return np.asarray(vectors / lengths)

    def _embed_some(self, texts: list[str]) -> list[list[float]]:
        with self._faults():
            answer = self._client.embeddings.create(input=texts, model=self._model, encoding_format="float")
            found = sorted(Vectors.of(answer).data, key=lambda vector: vector.index)
        if [vector.index for vector in found] != list(range(len(texts))):
            raise self._malformed()
        return [vector.embedding for vector in found]

    def _faults(self) -> AbstractContextManager[None]:
        return faults(self._server, self._model, self._key)

    def _malformed(self) -> KuamoError:
        return KuamoError("remote_malformed", server=self._server, model=self._model)


def _turn(message: Message) -> Any:
    if not message.images:
        return {"role": message.role, "content": message.text}
    pictures = [{"type": "image_url", "image_url": {"url": _data_url(image)}} for image in message.images]
    return {"role": message.role, "content": [*pictures, {"type": "text", "text": message.text}]}


def _data_url(image: Image) -> str:
    kind, data = "png", image.png()
    if len(data) > PNG_BYTES and max(image.width, image.height) <= JPEG_SIDE:
        buffer = BytesIO()
        image.pil().save(buffer, "JPEG", quality=90)
        kind, data = "jpeg", buffer.getvalue()
    return f"data:image/{kind};base64,{b64encode(data).decode()}"


def _segments(speech: WrittenSpeech, request: TranscribeRequest) -> Iterator[Segment]:
    language = LANGUAGES.get((speech.language or "").lower(), speech.language)
    language = language if language and len(language) <= 3 else request.language
    if not speech.segments:
        yield Segment(0.0, request.audio.seconds, speech.text.strip(), _words(speech.words), language)
        return
    left = speech.words or []
    for segment in speech.segments:
        inside = left if segment is speech.segments[-1] else _before(segment.end, left)
        left = left[len(inside) :]
        words = _words(segment.words or inside)
        yield Segment(segment.start, segment.end, segment.text.strip(), words, language)


def _before(seconds: float, words: list[TimedWord]) -> list[TimedWord]:
    return list(takewhile(lambda word: (word.start + word.end) / 2 < seconds, words))


def _words(words: list[TimedWord] | None) -> tuple[Word, ...]:
    return tuple(Word(word.start, word.end, word.word.strip()) for word in words or ())
