"""Every engine of the catalogue, loaded by the path a user takes and held to the contract."""

import importlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pictures
from PIL import ImageDraw

from kuamo.capabilities.align import align
from kuamo.capabilities.chat import chat
from kuamo.capabilities.detect import detect
from kuamo.capabilities.draw import draw
from kuamo.capabilities.embed import embed
from kuamo.capabilities.read import read
from kuamo.capabilities.restore import restore
from kuamo.capabilities.speak import speak
from kuamo.catalogue import Catalogue
from kuamo.contracts import (
    AlignRequest,
    Capability,
    ChatRequest,
    DetectRequest,
    DrawRequest,
    DrawStep,
    EmbedRequest,
    Message,
    Picture,
    ReadRequest,
    RestoreRequest,
    Sampling,
    Span,
    SpeakRequest,
    Trace,
    TranscribeRequest,
    Transcript,
)
from kuamo.media.audio import Audio
from kuamo.media.image import Image, from_pil
from kuamo.runtime import Models
from kuamo.settings import Settings
from openai_server import openai_server

CATALOGUE = Catalogue.load()

SOURCES: dict[str, tuple[str, ...]] = {
    "kuamo.engines.answer.vision_language:VisionLanguage": ("llava", "qwen2_vl", "smolvlm"),
    "kuamo.engines.chat.causal_lm:CausalLm": ("llama",),
    "kuamo.engines.draw.diffusion:Diffusion": ("stable_diffusion", "sdxl", "lcm"),
    "kuamo.engines.embed.clip:Clip": ("clip", "siglip"),
    "kuamo.engines.restore.swin2sr:Swin2Sr": ("swin2sr", "swin2sr_x4"),
    "kuamo.engines.restore.anime4k:Anime4k": ("anime4k",),
    "kuamo.engines.transcribe.whisper:Whisper": ("whisper",),
    "kuamo.engines.align.ctc:Ctc": ("ctc_english", "ctc_chinese"),
    "kuamo.engines.speak.vits:Vits": ("vits",),
    "kuamo.engines.speak.speecht5:SpeechT5": ("speecht5",),
    "kuamo.engines.remote:Remote": ("server",),
    "kuamo.engines.read.rapidocr:RapidOcr": ("rapidocr",),
    "kuamo.engines.speak.espeak:Espeak": ("espeak",),
    "kuamo.engines.detect.silero:Silero": ("silero-vad",),
    "kuamo.engines.transcribe.pocketsphinx:PocketSphinx": ("pocketsphinx",),
    "kuamo.engines.align.pocketsphinx:PocketSphinx": ("pocketsphinx-align",),
}
"""What each engine is tried with: a small checkpoint's name, "server", or a row of the catalogue that is in the box."""

ENGINES = {(model.engine, capability) for model in CATALOGUE.models for capability in model.capabilities}
ENGINES |= {(row.engine, capability) for row in CATALOGUE.checkpoints for capability in row.capabilities}
TRIALS = [
    (engine, capability, source) for engine, capability in sorted(ENGINES) for source in SOURCES.get(engine, ("",))
]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with openai_server() as state:
        yield f"{state.url}#some-model"


@cache
def said(text: str) -> Audio:
    """Return a recording of a text, by the engine in the box that speaks every language."""
    models = Models(CATALOGUE, Settings(models={"speak": "espeak"}))
    return speak(SpeakRequest(text=text), models).result().audio.at(16_000)


def hold_trace(trace: Trace, capability: Capability) -> None:
    assert trace.capability == capability
    assert trace.device
    assert trace.precision
    assert trace.seconds >= 0


def hold_spans(spans: tuple[Span, ...], duration: float) -> None:
    for span in spans:
        assert 0 <= span.start_seconds <= span.end_seconds <= duration + 0.05
    starts = [span.start_seconds for span in spans]
    assert starts == sorted(starts)


def screen() -> Image:
    picture = Pictures.new("RGB", (320, 120), "white")
    ImageDraw.Draw(picture).text((20, 30), "HELLO 2468", fill="black", font_size=48)
    return from_pil(picture)


def hold_text(models: Models, capability: Capability, images: tuple[Image, ...]) -> None:
    turns = (Message("system", "Be brief."), Message("user", "What is this?", images))
    request = ChatRequest(messages=turns, sampling=Sampling(max_new_tokens=8, temperature=0.5, seed=1))
    with models.lease(capability, request) as lease:
        pieces = list(getattr(lease.engine, capability)(request))
    assert all(isinstance(piece, str) for piece in pieces)
    assert "".join(pieces)


def hold_answer(models: Models) -> None:
    hold_text(models, "answer", (screen(), screen()))


def hold_chat(models: Models) -> None:
    hold_text(models, "chat", ())
    reply = chat(ChatRequest(messages=(Message("user", "你好"),), sampling=Sampling(max_new_tokens=8)), models)
    streamed = "".join(reply)
    answer = reply.result()
    assert answer.text == streamed.strip()
    hold_trace(answer.traces[0], "chat")


def hold_draw(models: Models) -> None:
    request = DrawRequest(prompt="a red car", width=64, height=96, steps=2, count=2, seed=3)
    stream = draw(request, models)
    for event in stream:
        assert isinstance(event, DrawStep | Picture)
        if isinstance(event, DrawStep):
            assert 1 <= event.step <= event.steps
            assert event.preview is None or event.preview.width < 64
    drawing = stream.result()
    assert [(picture.image.width, picture.image.height) for picture in drawing.pictures] == [(64, 96)] * 2
    assert [picture.seed for picture in drawing.pictures] in ([3, 4], [None, None])
    assert (drawing.request.prompt, drawing.request.width, drawing.request.height) == ("a red car", 64, 96)
    hold_trace(drawing.traces[0], "draw")


def hold_transcribe(models: Models) -> None:
    audio = said("Hello, the sun is shining.")
    request = TranscribeRequest(audio=audio, language="en")
    with models.lease("transcribe", request) as lease:  # random weights may hear nothing, which the capability refuses
        transcript = Transcript(tuple(lease.engine.transcribe(request)), (lease.trace(),))
    hold_spans(transcript.segments, audio.seconds)
    hold_spans(transcript.words, audio.seconds)
    assert all(word.score is None or 0 <= word.score <= 1 for word in transcript.words)
    hold_trace(transcript.traces[0], "transcribe")


def hold_speak(models: Models) -> None:
    speech = speak(SpeakRequest(text="Hello, the sun is shining.", language="en"), models).result()
    assert speech.audio.samples.dtype == np.float32
    assert speech.audio.samples.ndim == 1
    assert speech.audio.samples.size > 0
    assert np.abs(speech.audio.samples).max() <= 1
    assert speech.audio.sample_rate_hz >= 8_000
    hold_spans(speech.words, speech.audio.seconds)
    hold_trace(speech.traces[0], "speak")


def hold_align(models: Models) -> None:
    chinese = "chinese" in models.settings.models["align"]
    text = "今天天气" if chinese else "hello sun"
    audio = said(text)
    alignment = align(AlignRequest(audio=audio, text=text), models)
    assert [word.text for word in alignment.words] == (list(text) if chinese else text.split())
    hold_spans(alignment.words, audio.seconds)
    hold_trace(alignment.traces[0], "align")


def hold_embed(models: Models) -> None:
    texts = embed(EmbedRequest(texts=("a red car", "一辆红色的车", "a")), models)
    assert texts.vectors.shape[0] == 3
    assert texts.vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(texts.vectors, axis=1), 1, atol=1e-5)
    hold_trace(texts.traces[0], "embed")
    if texts.traces[0].device != "remote":
        images = embed(EmbedRequest(images=(screen(),)), models)
        assert images.vectors.shape == (1, texts.vectors.shape[1])


def hold_read(models: Models) -> None:
    reading = read(ReadRequest(image=screen()), models)
    assert "2468" in " ".join(line.text for line in reading.lines)
    for line in reading.lines:
        assert len(line.corners) == 4
        assert 0 <= line.score <= 1
    hold_trace(reading.traces[0], "read")


def hold_restore(models: Models) -> None:
    image = screen()
    for scale in (2, 4):
        restoration = restore(RestoreRequest(image=image, scale=scale), models)
        assert (restoration.image.width, restoration.image.height) == (image.width * scale, image.height * scale)
        hold_trace(restoration.traces[0], "restore")


def hold_detect(models: Models) -> None:
    audio = said("Hello, the sun is shining, and it is a fine day.")
    detection = detect(DetectRequest(audio=audio), models)
    assert detection.spans
    hold_spans(detection.spans, audio.seconds)
    assert detect(DetectRequest(audio=Audio(np.zeros(16_000, np.float32), 16_000)), models).spans == ()
    hold_trace(detection.traces[0], "detect")


@pytest.mark.parametrize(("engine", "capability"), sorted(ENGINES))
def test_an_engine_has_a_method_for_each_of_its_capabilities(engine: str, capability: Capability) -> None:
    module, _, name = engine.partition(":")
    kind = getattr(importlib.import_module(module), name)
    assert callable(kind.load)
    assert callable(getattr(kind, capability))


@pytest.mark.parametrize(("engine", "capability", "source"), TRIALS)
def test_an_engine_keeps_the_contract(
    engine: str,
    capability: Capability,
    source: str,
    checkpoint: Callable[[str], Path],
    request: pytest.FixtureRequest,
) -> None:
    assert source, f"SOURCES has nothing small to try {engine} with"
    in_the_box = {model.name for model in CATALOGUE.models if model.source.startswith("package:")}
    if source == "server":
        chosen = request.getfixturevalue("server")
    else:
        chosen = source if source in in_the_box else str(checkpoint(source))
    models = Models(CATALOGUE, Settings(models={capability: chosen}, device="cpu"))
    assert models.choose(capability, ReadRequest(image=screen())).engine == engine
    hold: Callable[[Models], None] = globals()[f"hold_{capability}"]
    try:
        hold(models)
    finally:
        models.close()
