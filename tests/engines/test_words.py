"""Written texts: their words, their sentences, and how numerals are read aloud."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuamo.engines.words import is_spoken, split_sentences, split_words, spoken_form


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("“今天天气，晴朗。”", ["“今", "天", "天", "气，", "晴", "朗。”"]),
        ("Hello , world! 🙂 don’t", ["Hello,", "world!🙂", "don’t"]),
        ("我用iPhone手机", ["我", "用", "iPhone", "手", "机"]),
        ('... "Stop," 50%', ['..."Stop,"', "50%"]),
        ("🙂 … ❤️", []),
        ("", []),
    ],
)
def test_words_as_written(text: str, words: list[str]) -> None:
    assert split_words(text) == words


@given(st.text(st.sampled_from("aB9%今天，。.,!'’(“🙂\u0301 \n"), max_size=30))
def test_nothing_but_white_space_is_lost(text: str) -> None:
    words = split_words(text)
    assert all(any(map(is_spoken, word)) for word in words)
    if any(map(is_spoken, text)):
        assert "".join(words) == "".join(text.split())


@pytest.mark.parametrize(
    ("word", "language", "following", "spoken"),
    [
        ("1995,", "en", "", "nineteen ninety five,"),
        ("1,995", "en-GB", "", "one thousand nine hundred and ninety five"),
        ("21st", "en", "", "twenty first"),
        ("3.14", "en", "", "three point one four"),
        ("007", "en", "", "zero zero seven"),
        ("13800138000", "zh-CN", "", "一三八零零一三八零零零"),
        ("1995", "zh", "年", "一九九五"),
        ("1995", "zh", "个", "一千九百九十五"),
        ("10", "zh", "", "十"),
        ("105000", "zh", "", "十万五千"),
        ("100000001", "zh", "", "一亿零一"),
        ("20030040", "zh", "", "二千零三万零四十"),
        ("3.05", "zh", "", "三点零五"),
        ("0", "zh", "", "零"),
        ("42", "fr", "", "quarante deux"),
        ("42", "xx", "", "42"),
        ("hello", "en", "", "hello"),
    ],
)
def test_numerals_as_read_aloud(word: str, language: str, following: str, spoken: str) -> None:
    assert spoken_form(word, language, following) == spoken


@given(st.from_regex(r"[0-9]{1,25}(,[0-9]{3})?(\.[0-9]{1,4})?", fullmatch=True), st.sampled_from(["en", "zh", "de"]))
def test_no_numeral_is_left_unread(number: str, language: str) -> None:
    assert not any(character.isdigit() for character in spoken_form(number, language))


def test_sentences_of_both_languages_and_their_length() -> None:
    assert split_sentences("Dr. Smith paid $3.14. 今天很好。我们走吧！", "zh-CN", 80) == [
        "Dr. Smith paid $3.14.",
        "今天很好。",
        "我们走吧！",
    ]
    assert split_sentences("one two three four", "en", 9) == ["one two", "three", "four"]
    assert "".join(split_sentences("字" * 25, "zh", 10)) == "字" * 25
