"""The remote engine against a real HTTP server of the OpenAI wire."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from kuamo.catalogue import Catalogue
from kuamo.contracts import (
    ChatRequest,
    DrawRequest,
    EmbedRequest,
    Ending,
    Message,
    Sampling,
    SpeakRequest,
    TranscribeRequest,
)
from kuamo.engines.remote import Remote
from kuamo.errors import KuamoError
from kuamo.media.audio import Audio
from kuamo.media.image import Image
from kuamo.runtime import Models
from kuamo.settings import Settings
from kuamo.stream import Stream
from openai_server import PIECE_SAMPLES, RATE_HZ, OpenAiServer, openai_server


@pytest.fixture(scope="module")
def running() -> Iterator[OpenAiServer]:
    with openai_server() as server:
        yield server


@pytest.fixture
def server(running: OpenAiServer) -> OpenAiServer:
    fresh = OpenAiServer(url=running.url)
    vars(running).update(vars(fresh))
    return running


def load(server: OpenAiServer, **options: Any) -> Remote:
    return Remote.load(f"{server.url}#tiny", device="auto", precision="auto", **options)


def image(width: int, height: int, *, noise: bool = False) -> Image:
    random = np.random.default_rng(0)
    shape = (height, width, 3)
    return Image(random.integers(0, 256, shape, np.uint8) if noise else np.zeros(shape, np.uint8))


def ask(text: str, *images: Image, **sampling: Any) -> ChatRequest:
    messages = (Message("system", "Be brief."), Message("user", text, images))
    return ChatRequest(messages=messages, sampling=Sampling(**sampling))


def sound(seconds: float) -> Audio:
    return Audio(np.zeros(round(8_000 * seconds), np.float32), 8_000)


# --- what it does


def test_a_turn_arrives_in_pieces(server: OpenAiServer) -> None:
    assert list(load(server).chat(ask("one two three"))) == ["one ", "two ", "three "]


def test_pictures_come_before_the_text_as_png_and_large_ones_as_jpeg(server: OpenAiServer) -> None:
    pictures = image(60, 40), image(1200, 900, noise=True)
    assert "".join(load(server).answer(ask("what?", *pictures))) == "PNG:60x40 JPEG:1200x900 what? "
    assert [message["role"] for message in server.bodies[0]["messages"]] == ["system", "user"]


def test_sampling_is_sent(server: OpenAiServer) -> None:
    list(load(server).chat(ask("x", max_new_tokens=7, temperature=0, top_p=0.5, seed=3)))
    sent = server.bodies[0]
    assert (sent["max_tokens"], sent["temperature"], sent["top_p"], sent["seed"]) == (7, 0, 0.5, 3)


def test_stop_sequences_are_sent_and_tokens_are_told(server: OpenAiServer) -> None:
    answer = Stream(load(server).chat(ask("one two", stop=("x", "。"))))
    assert answer.result() == Ending(2, 7, "length")
    assert server.bodies[0]["stop"] == ["x", "。"]
    server.refused = {"stream_options"}
    assert list(load(server).chat(ask("one two"))) == ["one ", "two "]
    assert "stop" not in server.bodies[-1]


def test_a_picture_of_no_size_is_the_servers_own(server: OpenAiServer) -> None:
    picture = next(load(server).draw(DrawRequest(prompt="x")))
    assert (picture.image.width, picture.image.height) == (128, 128)
    assert "size" not in server.bodies[0]


def test_options_that_a_model_does_not_take_are_left_out(server: OpenAiServer) -> None:
    server.refused = {"max_tokens", "temperature"}
    assert list(load(server).chat(ask("x", max_new_tokens=7))) == ["x "]
    assert server.bodies[-1]["max_completion_tokens"] == 7
    assert not server.refused & server.bodies[-1].keys()


def test_closing_the_iterator_closes_the_connection(server: OpenAiServer) -> None:
    server.endless = True
    pieces = load(server).chat(ask("one two three"))
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 5
    while not server.gone and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.gone


def test_pictures_are_drawn_one_by_one_each_with_its_seed(server: OpenAiServer) -> None:
    request = DrawRequest(prompt="fish", negative_prompt="birds", width=64, height=32, count=2, seed=5)
    pictures = list(load(server).draw(request))
    assert [(p.image.width, p.image.height, p.seed) for p in pictures] == [(64, 32, 5), (64, 32, 6)]
    assert pictures[1].image.pixels[0, 0].tolist() == [4, 6, 0]
    assert server.bodies[0]["negative_prompt"] == "birds"


def test_without_a_seed_the_server_keeps_its_own(server: OpenAiServer) -> None:
    assert [picture.seed for picture in load(server).draw(DrawRequest(prompt="x", width=8, height=8))] == [None]
    assert "seed" not in server.bodies[0]


def test_without_a_size_the_server_chooses_it(server: OpenAiServer) -> None:
    picture = next(load(server).draw(DrawRequest(prompt="x")))
    assert (picture.image.width, picture.image.height) == (128, 128)
    assert "size" not in server.bodies[0]
    picture = next(load(server).draw(DrawRequest(prompt="x", width=64)))
    assert (picture.image.width, picture.image.height) == (64, 64)


def test_a_start_picture_is_refused(server: OpenAiServer) -> None:
    with pytest.raises(KuamoError) as caught:
        next(load(server).draw(DrawRequest(prompt="x", image=image(8, 8))))
    assert caught.value.code == "no_start_picture"


def test_a_size_and_a_form_that_are_refused_are_left_out_and_the_picture_is_fitted(server: OpenAiServer) -> None:
    server.refused = {"size", "response_format"}
    picture = next(load(server).draw(DrawRequest(prompt="x", width=64, height=32)))
    assert (picture.image.width, picture.image.height) == (64, 32)


def test_a_picture_in_a_data_address_is_read(server: OpenAiServer) -> None:
    server.fault = "data url"
    assert next(load(server).draw(DrawRequest(prompt="xy", width=8, height=8))).image.pixels[0, 0, 0] == 2


def test_an_address_named_by_the_server_is_not_fetched(server: OpenAiServer) -> None:
    server.fault = "address"
    with pytest.raises(KuamoError) as caught:
        list(load(server).draw(DrawRequest(prompt="x", width=8, height=8)))
    assert caught.value.code == "remote_malformed"
    assert not any("fetched" in body for body in server.bodies)


def test_speech_is_written_down_with_its_words(server: OpenAiServer) -> None:
    first, second = load(server).transcribe(TranscribeRequest(audio=sound(3), language="en-GB"))
    assert [(word.text, word.start_seconds, word.end_seconds) for word in first.words] == [
        ("w0", 0, 0.5),
        ("w1", 1, 1.5),
    ]
    assert (first.text, first.start_seconds, first.end_seconds, first.language) == ("w0…", 0, 1.5, "en")
    assert [word.text for word in second.words] == ["w2"]
    assert (server.bodies[0]["rate"], server.bodies[0]["language"]) == (16_000, ["en"])


@pytest.mark.parametrize("names_refused", [True, False])
def test_speech_is_written_down_without_times_where_the_server_has_none(
    server: OpenAiServer, names_refused: bool
) -> None:
    server.refused, server.names_refused = {"response_format", "timestamp_granularities"}, names_refused
    (segment,) = load(server).transcribe(TranscribeRequest(audio=sound(2)))
    assert (segment.text, segment.end_seconds, segment.words) == ("w0 w1", 2, ())


def test_speech_arrives_while_it_is_made(server: OpenAiServer) -> None:
    server.waits = True
    chunks = []
    for chunk in load(server).speak(SpeakRequest(text="x" * 40, speed=1.5)):
        server.waits = False  # the second half is made only now
        chunks.append(chunk.audio)
    assert sum(len(audio.samples) for audio in chunks) == 40 * PIECE_SAMPLES
    assert chunks[0].sample_rate_hz == RATE_HZ
    assert max(audio.samples.max() for audio in chunks) == pytest.approx(8_000 / 32_768, abs=0.01)
    assert (server.bodies[0]["voice"], server.bodies[0]["speed"]) == ("alloy", 1.5)


def test_closing_the_speech_closes_the_connection(server: OpenAiServer) -> None:
    chunks = load(server, voice="nova").speak(SpeakRequest(text="x" * 3000))
    next(chunks)
    chunks.close()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 5
    while not server.gone and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.gone
    assert server.pieces_sent < 3000
    assert server.bodies[0]["voice"] == "nova"


def test_texts_become_unit_rows_in_their_order(server: OpenAiServer) -> None:
    texts = tuple("a" * (n % 7) + "b" for n in range(300))
    vectors = load(server).embed(EmbedRequest(texts=texts))
    assert vectors.shape == (300, 3)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert vectors[8, 1] / vectors[8, 2] == pytest.approx(1)  # one "a"
    assert [len(body["input"]) for body in server.bodies] == [256, 44]


def test_the_key_is_sent_and_nothing_of_the_environment(server: OpenAiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "from-the-environment")
    list(load(server, key="secret").chat(ask("x")))
    list(load(server).chat(ask("x")))
    assert server.headers[0]["authorization"] == "Bearer secret"
    assert server.headers[1]["authorization"] == "Bearer none"
    assert not any("from-the-environment" in value for headers in server.headers for value in headers.values())


# --- what can go wrong

CALLS: dict[str, Callable[[Remote], Any]] = {
    "chat": lambda engine: list(engine.chat(ask("one two"))),
    "draw": lambda engine: list(engine.draw(DrawRequest(prompt="x", width=8, height=8))),
    "transcribe": lambda engine: list(engine.transcribe(TranscribeRequest(audio=sound(1)))),
    "speak": lambda engine: list(engine.speak(SpeakRequest(text="one"))),
    "embed": lambda engine: engine.embed(EmbedRequest(texts=("a", "b"))),
}


def fault_of(call: Callable[[], Any]) -> KuamoError:
    with pytest.raises(KuamoError) as caught:
        call()
    for language in ("en", "zh"):
        assert "\n" not in caught.value.line(language)
    return caught.value


@pytest.mark.parametrize("capability", CALLS)
@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        ("401", "remote_key_refused", 502),
        ("403", "remote_key_refused", 502),
        ("404", "remote_model_unknown", 502),
        ("413", "remote_refused", 502),
        ("429", "remote_busy", 503),
        ("500", "remote_failed", 502),
    ],
)
def test_a_status_becomes_one_line(server: OpenAiServer, capability: str, fault: str, code: str, status: int) -> None:
    server.fault = fault
    error = fault_of(lambda: CALLS[capability](load(server, key="k")))
    assert (error.code, error.status) == (code, status)
    assert "127.0.0.1" in error.line("zh")


@pytest.mark.parametrize("capability", sorted(CALLS))
@pytest.mark.parametrize("fault", ["html", "no json", "other json"])
def test_an_answer_of_another_kind_is_told(server: OpenAiServer, capability: str, fault: str) -> None:
    server.fault = fault
    code = fault_of(lambda: CALLS[capability](load(server))).code
    assert code == ("remote_silent" if capability == "chat" else "remote_malformed")


@pytest.mark.parametrize(
    ("capability", "fault", "code"),
    [
        ("chat", "cut", "remote_unreachable"),
        ("chat", "told", "remote_failed"),
        ("chat", "odd", "remote_malformed"),
        ("speak", "cut", "remote_unreachable"),
        ("speak", "no sound", "remote_malformed"),
        ("draw", "no picture", "remote_malformed"),
        ("draw", "no base64", "remote_malformed"),
        ("embed", "ragged", "remote_malformed"),
        ("embed", "zero", "remote_malformed"),
        ("embed", "too few", "remote_malformed"),
        ("transcribe", "401", "remote_key_missing"),
    ],
)
def test_a_broken_answer_is_told(server: OpenAiServer, capability: str, fault: str, code: str) -> None:
    server.fault = fault
    assert fault_of(lambda: CALLS[capability](load(server))).code == code


def test_a_refusal_that_no_option_explains_is_told_with_the_servers_words(server: OpenAiServer) -> None:
    server.refused = {"messages"}
    error = fault_of(lambda: CALLS["chat"](load(server)))
    assert (error.code, error.values["reason"]) == ("remote_refused", "not taken")


def test_a_server_that_is_not_there(server: OpenAiServer) -> None:
    engine = Remote.load("http://127.0.0.1:1/v1#tiny", device="auto", precision="auto")
    assert fault_of(lambda: CALLS["chat"](engine)).code == "remote_unreachable"


def test_a_server_that_does_not_answer_in_time(server: OpenAiServer) -> None:
    server.fault = "slow"
    error = fault_of(lambda: CALLS["chat"](load(server, timeout_seconds=0.1)))
    assert (error.code, error.status) == ("remote_timeout", 504)


def test_pictures_cannot_be_embedded(server: OpenAiServer) -> None:
    error = fault_of(lambda: load(server).embed(EmbedRequest(images=(image(8, 8),))))
    assert (error.code, server.bodies) == ("remote_texts_only", [])


def test_an_address_without_a_model() -> None:
    error = fault_of(lambda: Remote.load("http://127.0.0.1:1/v1", device="auto", precision="auto"))
    assert error.code == "remote_model_missing"


# --- in the house


def test_an_address_is_a_model_for_every_capability_it_serves(server: OpenAiServer) -> None:
    settings = Settings(models={"chat": f"{server.url}#tiny"}, remote_key="secret")
    models = Models(Catalogue.load(), settings)
    with models.lease("chat", ask("hello")) as lease:
        assert list(lease.engine.chat(ask("hello"))) == ["hello "]
    assert server.headers[0]["authorization"] == "Bearer secret"
    models.close()


def test_requests_run_side_by_side(server: OpenAiServer) -> None:
    models = Models(Catalogue.load(), Settings(models={"chat": f"{server.url}#tiny"}))
    with models.lease("chat", ask("x")) as first, models.lease("chat", ask("x")) as second:
        assert first.engine is second.engine
    models.close()


def test_the_profile_wants_a_key_before_anything_is_sent() -> None:
    models = Models(Catalogue.load(), Settings(profile="remote"))
    for capability in ("answer", "chat", "draw", "transcribe", "embed"):
        with pytest.raises(KuamoError) as caught, models.lease(capability, ask("x")):
            pass
        assert (caught.value.code, caught.value.status) == ("remote_key_missing", 503)
    models.close()
