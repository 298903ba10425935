"""POST /v1/audio/… with OpenAI's own client: speech written down, translated, timed and spoken."""

import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest

from kuamo.api.app import create_app
from kuamo.catalogue import Catalogue
from kuamo.contracts import Request
from kuamo.media.audio import Audio, read_audio
from kuamo.media.limits import Limits
from kuamo.media.sound_stream import STREAMABLE
from kuamo.runtime import Models
from kuamo.settings import Settings
from serving import served

TEXT = "I have a dream today."


@pytest.fixture(scope="module")
def spoken(nano: openai.OpenAI) -> bytes:
    return nano.audio.speech.create(model="tts-1", voice="alloy", input=TEXT, response_format="flac").content


@pytest.fixture(scope="module")
def silence() -> bytes:
    return Audio(np.zeros(32_000, np.float32), 16_000).encode("wav")


def write_down(client: openai.OpenAI, sound: bytes, **options: Any) -> Any:
    return client.audio.transcriptions.create(**{"model": "whisper-1", "file": ("录音.flac", sound), **options})


def refusal(call: Callable[[], Any]) -> openai.APIStatusError:
    with pytest.raises(openai.APIStatusError) as caught:
        call()
    assert 400 <= caught.value.status_code < 500
    return caught.value


# --- speech


@pytest.mark.parametrize("form", sorted(STREAMABLE))
def test_each_format_holds_the_same_speech(nano: openai.OpenAI, form: str) -> None:
    answer = nano.audio.speech.create(model="tts-1", voice="nova", input=TEXT, response_format=form)  # type: ignore[arg-type]
    whole = nano.audio.speech.create(model="speak", voice="alloy", input=TEXT, response_format="wav").content
    expected = read_audio(whole, Limits()).seconds  # espeak is never quite the same twice
    if form == "pcm":
        assert len(answer.content) / 2 / 24_000 == pytest.approx(expected, abs=0.1)
    else:
        assert read_audio(answer.content, Limits()).seconds == pytest.approx(expected, abs=0.2)
    assert answer.response.headers["content-type"].startswith("audio/")


def test_the_first_sentence_is_sent_before_the_last_is_made(nano: openai.OpenAI) -> None:
    with nano.audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input="one two three. " * 12, response_format="pcm"
    ) as answer:
        assert sum(1 for _ in answer.iter_bytes()) > 3
    assert "content-length" not in answer.headers


def test_speech_comes_as_events_where_wanted(nano: openai.OpenAI) -> None:
    body = {"input": TEXT, "stream_format": "sse", "response_format": "mp3"}
    answer = httpx.post(f"{nano.base_url}audio/speech", json=body, timeout=60)
    events = [json.loads(line[6:]) for line in answer.text.splitlines() if line]
    assert events[-1] == {"type": "speech.audio.done"}
    sound = b"".join(b64decode(event["audio"]) for event in events[:-1])
    assert read_audio(sound, Limits()).seconds > 1


def test_speed_language_and_voice_matter(nano: openai.OpenAI) -> None:
    def sound(text: str = TEXT, voice: str = "alloy", **options: Any) -> bytes:
        return nano.audio.speech.create(model="", voice=voice, input=text, response_format="pcm", **options).content

    assert len(sound(speed=2.0)) < len(sound()) < len(sound(speed=0.5))
    assert sound("你好，今天天气很好。") != sound("你好，今天天气很好。", extra_body={"language": "yue"})
    assert sound(voice="fr") != sound(voice="en")
    assert sound(voice={"id": "echo"})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"input": ""}, "text_empty"),
        ({"input": "…！"}, "text_empty"),
        ({"input": "x" * 20_001}, "text_too_long"),
        ({"voice": "nobody"}, "unknown_voice"),
        ({"voice": None, "input": ""}, "text_empty"),
        ({"voice": {"id": 5}}, "field_wrong"),
        ({"voice": "../../etc/passwd"}, "unknown_voice"),
        ({"speed": 0}, "out_of_range"),
        ({"speed": 9}, "out_of_range"),
        ({"response_format": "exe"}, "field_wrong"),
        ({"model": "nothing"}, "unknown_model"),
        ({"extra_body": {"language": "klingon"}}, "language_not_spoken"),
    ],
)
def test_odd_speech_is_refused(nano: openai.OpenAI, options: dict[str, Any], code: str) -> None:
    given = {"model": "tts-1", "voice": "alloy", "input": "hello", **options}
    assert refusal(lambda: nano.audio.speech.create(**given)).code == code


# --- transcriptions


def test_speech_is_written_down(nano: openai.OpenAI, spoken: bytes) -> None:
    answer = write_down(nano, spoken)
    assert answer.text
    assert answer.usage.type == "duration"
    assert answer.usage.seconds == pytest.approx(read_audio(spoken, Limits()).seconds)


def test_the_same_text_in_every_format(nano: openai.OpenAI, spoken: bytes) -> None:
    text = write_down(nano, spoken).text
    assert write_down(nano, spoken, response_format="text") == text + "\n"
    srt, vtt = (write_down(nano, spoken, response_format=form) for form in ("srt", "vtt"))
    assert srt.startswith("1\n00:00:0")
    assert vtt.startswith("WEBVTT")
    for subtitles in (srt, vtt):
        assert " --> " in subtitles
        assert text.split()[0] in subtitles


def test_times_are_those_that_were_asked_for(nano: openai.OpenAI, spoken: bytes) -> None:
    plain = write_down(nano, spoken, response_format="verbose_json")
    both = write_down(
        nano, spoken, response_format="verbose_json", timestamp_granularities=["word", "segment"], language="en"
    )
    words = write_down(nano, spoken, response_format="verbose_json", timestamp_granularities=["word"])
    assert (plain.words, words.segments) == (None, None)
    assert (plain.segments, words.words) == (both.segments, both.words)
    assert " ".join(word.word for word in both.words) == both.text
    assert (both.language, both.duration) == ("en", pytest.approx(read_audio(spoken, Limits()).seconds))
    times = [second for word in both.words for second in (word.start, word.end)]
    assert times == sorted(times)
    assert times[-1] <= both.duration + 0.001


def test_events_add_up_to_the_text(nano: openai.OpenAI, spoken: bytes) -> None:
    events = list(write_down(nano, spoken, stream=True))
    assert [event.type for event in events][-1] == "transcript.text.done"
    assert "".join(event.delta for event in events[:-1]) == events[-1].text == write_down(nano, spoken).text


def test_silence_is_no_text(nano: openai.OpenAI, silence: bytes) -> None:
    assert write_down(nano, silence).text == ""
    assert write_down(nano, silence, response_format="srt").strip() == ""
    assert write_down(nano, silence, response_format="verbose_json").segments == []
    assert [event.type for event in write_down(nano, silence, stream=True)] == ["transcript.text.done"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"file": ("a.wav", b"no sound")}, "not_audio"),
        ({"file": ("a.wav", b"")}, "file_empty"),
        ({"response_format": "doc"}, "field_wrong"),
        ({"language": "fr"}, "no_model_for_language"),
        ({"model": "nothing"}, "unknown_model"),
        ({"timestamp_granularities": ["letter"]}, "field_wrong"),
        ({"stream": True, "response_format": "srt"}, "parameter_unsupported"),
    ],
)
def test_odd_recordings_are_refused(nano: openai.OpenAI, silence: bytes, options: dict[str, Any], code: str) -> None:
    assert refusal(lambda: write_down(nano, silence, **options)).code == code


def test_a_form_without_a_file_is_refused(nano: openai.OpenAI) -> None:
    answer = httpx.post(f"{nano.base_url}audio/transcriptions", data={"model": "whisper-1"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "file")


# --- translations


@pytest.mark.filterwarnings("ignore:deprecated")
def test_a_model_that_does_not_translate_says_so(nano: openai.OpenAI, spoken: bytes) -> None:
    error = refusal(lambda: nano.audio.translations.create(model="whisper-1", file=("a.flac", spoken)))
    assert error.code == "does_not_translate"


@pytest.fixture(scope="module")
def whisper(checkpoint: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    settings = Settings(folder=tmp_path_factory.mktemp("kept"), models={"transcribe": str(checkpoint("whisper"))})
    yield (models := Models(Catalogue.load(), settings))
    models.close()


@pytest.mark.filterwarnings("ignore:deprecated")
def test_a_model_that_can_is_told_to_translate(whisper: Models, silence: bytes) -> None:
    with whisper.lease("transcribe", Request()) as lease:
        model, token = lease.engine._model, lease.engine._tokenizer.convert_tokens_to_ids("<|translate|>")
    seen: list[int] = []
    hook = model.model.decoder.embed_tokens.register_forward_pre_hook(lambda _, inputs: seen.extend(inputs[0][0]))
    with hook, served(create_app(whisper.settings, whisper)) as address:
        client = openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)
        write_down(client, silence, language="en")
        assert token not in seen
        given = {"model": "whisper-1", "file": ("a.wav", silence), "response_format": "verbose_json"}
        translated = client.audio.translations.create(**given)
    assert token in seen
    assert translated.task == "translate"


# --- alignments


def align(client: openai.OpenAI, sound: bytes, **fields: str) -> httpx.Response:
    return httpx.post(f"{client.base_url}audio/alignments", data=fields, files={"file": ("a.flac", sound)}, timeout=60)


def test_a_known_text_is_timed(nano: openai.OpenAI, spoken: bytes) -> None:
    answer = align(nano, spoken, text=TEXT).json()
    assert [word["word"].lower() for word in answer["words"]] == TEXT.lower().split()
    assert answer["model"] == "pocketsphinx-align"
    assert 0 <= answer["words"][0]["start"] < answer["words"][-1]["end"] <= answer["duration"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [({}, "field_missing"), ({"text": " "}, "text_empty"), ({"text": "x", "model": "nothing"}, "unknown_model")],
)
def test_odd_alignments_are_refused(nano: openai.OpenAI, spoken: bytes, fields: dict[str, str], code: str) -> None:
    answer = align(nano, spoken, **fields)
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]["code"] == code
