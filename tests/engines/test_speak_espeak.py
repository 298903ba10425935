import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuamo.contracts import SpeakRequest, SpeechChunk
from kuamo.engines.espeak_library import phonemes_of, voice_for
from kuamo.engines.speak.espeak import Espeak
from kuamo.errors import KuamoError

ESPEAK = Espeak.load("espeakng_loader", device="auto", precision="auto")


def speak(text: str, language: str = "en", **settings) -> list[SpeechChunk]:
    return list(ESPEAK.speak(SpeakRequest(text=text, language=language, **settings)))


def words(chunks: list[SpeechChunk]) -> list[str]:
    return [word.text for chunk in chunks for word in chunk.words]


def seconds(chunks: list[SpeechChunk]) -> float:
    return sum(chunk.audio.seconds for chunk in chunks)


def loudness(chunk: SpeechChunk, start: float, end: float) -> float:
    return float(np.sqrt(np.mean(chunk.audio.between(start, end).samples ** 2)))


def test_english_words_are_timed_within_the_sound():
    (chunk,) = speak("Hello world, it's 42 dollars.")
    assert words([chunk]) == ["Hello", "world", "it's", "42", "dollars"]
    assert all(0 <= word.start_seconds < word.end_seconds <= chunk.audio.seconds for word in chunk.words)
    world, its = chunk.words[1:3]
    pause = loudness(chunk, world.end_seconds + 0.03, its.start_seconds)
    assert pause < loudness(chunk, world.start_seconds, world.end_seconds) / 10


def test_phonemes_asked_for_before_take_no_word_away():
    for _ in range(100):
        phonemes_of("hello", voice_for("en-us"))
    assert words(speak("One two three", voice="en-gb")) == ["One", "two", "three"]


def test_each_han_character_is_a_word():
    chunks = speak("一个苹果，晴朗。", "zh")
    assert words(chunks) == list("一个苹果晴朗")
    assert all(word.end_seconds - word.start_seconds > 0.05 for chunk in chunks for word in chunk.words)


def test_chinese_with_latin_numerals_and_emoji():
    spoken = words(speak("用iPhone打13812345678，好😀", "zh-CN"))
    assert spoken == ["用", "iPhone", "打", "13812345678", "好"]


def test_words_spoken_as_one_are_told_apart():
    (chunk,) = speak("in the house")
    assert words([chunk]) == ["in", "the", "house"]
    assert chunk.words[0].end_seconds == chunk.words[1].start_seconds > chunk.words[0].start_seconds


def test_sentences_come_one_by_one_and_times_count_from_the_start():
    chunks = speak("First sentence. Second one! A third?")
    assert [word.text for word in chunks[1].words] == ["Second", "one"]
    assert len(chunks) == 3
    assert chunks[1].words[0].start_seconds == pytest.approx(chunks[0].audio.seconds, abs=0.001)


@pytest.mark.parametrize("speed", [0.25, 0.5, 1, 2, 4])
def test_times_hold_at_every_speed(speed):
    chunks = speak("One two three. Four five.", speed=speed)
    assert words(chunks) == ["One", "two", "three", "Four", "five"]
    assert chunks[-1].words[-1].end_seconds <= seconds(chunks)


def test_speed_changes_the_length():
    slow, normal, fast = (seconds(speak("The quick brown fox", speed=speed)) for speed in (0.5, 1, 2))
    assert slow > 1.5 * normal > 2 * fast


@pytest.mark.parametrize("language", ["yue", "fr", "de", "ja", "ko", "ar", "ru", "th", "pt-BR", "en-AU", "zh-Hant-TW"])
def test_other_languages_speak(language):
    assert seconds(speak("123", language)) > 0.3


def test_korean_is_not_cut_into_characters():
    assert words(speak("안녕하세요 여러분", "ko")) == ["안녕하세요", "여러분"]


@pytest.mark.parametrize("voice", ["en-us+f3", "+f3", "+Alicia", "English (America)", "gmw/en-US"])
def test_voices_by_name_identifier_and_variant(voice):
    assert words(speak("Hello", voice=voice)) == ["Hello"]


def test_a_variant_sounds_different():
    plain, coloured = speak("Hello")[0].audio, speak("Hello", voice="+f3")[0].audio
    length = min(len(plain.samples), len(coloured.samples))
    assert not np.allclose(plain.samples[:length], coloured.samples[:length], atol=0.01)


@pytest.mark.parametrize("voice", ["nobody", "../lang/gmw/en", "en-us+../../x", "en-us+nobody", "+"])
def test_an_unknown_voice_is_refused(voice):
    with pytest.raises(KuamoError) as fault:
        speak("Hello", voice=voice)
    assert fault.value.code == "unknown_voice"


def test_an_unknown_language_is_refused():
    with pytest.raises(KuamoError) as fault:
        speak("Hello", "xx-YY")
    assert fault.value.code == "language_not_spoken"
    assert "xx-YY" in fault.value.message("zh")


@pytest.mark.parametrize("text", ["...", "？！", " ", "\0", "😀"])
def test_nothing_to_say_is_told(text):
    with pytest.raises(KuamoError) as fault:
        speak(text, "zh")
    assert fault.value.code == "text_empty"


@pytest.mark.parametrize("text", ["word " * 1000, "天" * 5000, "你好。" * 1666, "a" * 5000])
def test_long_texts(text):
    chunks = speak(text, "zh")
    assert seconds(chunks) > 30
    assert "".join(words(chunks)) == text.replace(" ", "").replace("。", "")


@given(st.text(st.sampled_from("ab 7.,!?'-。，天气好😀\u0301éß(<&[\n"), max_size=40), st.sampled_from(["en", "zh"]))
def test_any_text_is_spoken_in_order_or_refused(text, language):
    try:
        chunks = speak(text, language)
    except KuamoError as fault:
        if fault.code != "text_empty":
            raise
        return
    found = 0
    for word in words(chunks):
        found = text.index(word, found) + len(word)
    assert not any(chunk.audio.samples.shape == (0,) for chunk in chunks)
    times = [second for chunk in chunks for word in chunk.words for second in (word.start_seconds, word.end_seconds)]
    assert times == sorted(times)
    assert not times or times[-1] <= seconds(chunks) + 0.001
