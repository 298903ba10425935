"""Texts as they are written, cut into words and sentences, and as they are spoken."""

import re
import textwrap
import unicodedata

HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
CLOSING = re.escape("，。！？；：、”’）》」』】…—～·,.!?;:)")
WORD = re.compile(rf"[{HAN}][{CLOSING}]*|[^{HAN}\s]+")
NUMBER = re.compile(r"\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
ORDINAL = re.compile(r"(\d{1,9})(?:st|nd|rd|th)\b", re.IGNORECASE)
SPOKEN_SIGNS = "%&@#°‰℃€$£¥+=<>±×÷"
LONGEST_NUMBER = 9  # digits; longer ones (telephone, account) are read digit by digit
YEARS = range(1100, 2100)
DIGITS = "零一二三四五六七八九"


def is_spoken(character: str) -> bool:
    """Whether a character has a sound: letters, digits and signs such as % do, punctuation and emoji do not."""
    if character in SPOKEN_SIGNS:
        return True
    kind = unicodedata.category(character)
    return kind[0] in "LN" or (kind in ("Mn", "Mc") and not "\ufe00" <= character <= "\ufe0f")  # variation selectors


def split_words(text: str) -> list[str]:
    """Return the words of a text, each Han character one; punctuation and emoji stay with the word beside them.

    Nothing but white space is lost. Empty where nothing in the text can be spoken.
    """
    words: list[str] = []
    ahead = ""
    for run in WORD.findall(text):
        if any(map(is_spoken, run)):
            words.append(ahead + run)
            ahead = ""
        elif words:
            words[-1] += run
        else:
            ahead += run
    return words


def split_sentences(text: str, language: str, longest: int) -> list[str]:
    """Return the sentences of a text (rules of Wikimedia's sentencex), each cut at spaces to `longest` characters."""
    from sentencex import segment

    sentences = segment(language.split("-")[0], text)
    return [part for sentence in sentences for part in textwrap.wrap(sentence, longest)]


def spoken_form(word: str, language: str, following: str = "") -> str:
    """Return a word with its numerals spelled out as they are read aloud in `language` (BCP 47).

    English by num2words, which knows about 50 languages more; Chinese by its own rules (a number before 年 digit by
    digit). Numerals of other languages stay. Numbers of four digits from 1100 to 2099 are read as years.
    """
    from num2words import CONVERTER_CLASSES, num2words

    primary = language.split("-")[0].lower()
    if primary in ("zh", "cmn"):
        year = following.startswith("年")
        return NUMBER.sub(lambda match: _chinese(match[0].replace(",", ""), digit_by_digit=year), word)
    if primary not in CONVERTER_CLASSES:
        return word

    def read(match: re.Match[str]) -> str:
        number = match[0].replace(",", "")
        if len(number) > LONGEST_NUMBER or (number.startswith("0") and number.isdigit()):
            return " ".join(num2words(digit, lang=primary) for digit in number if digit.isdigit())
        kind = "year" if number == match[0] and number.isdigit() and int(number) in YEARS else "cardinal"
        return _plain(num2words(number, lang=primary, to=kind))

    ordinal = ORDINAL.sub(lambda match: _plain(num2words(match[1], lang=primary, to="ordinal")), word)
    return NUMBER.sub(read, ordinal if primary == "en" else word)


def _plain(number: str) -> str:
    return number.replace(",", "").replace("-", " ")


def _chinese(number: str, digit_by_digit: bool) -> str:
    whole, point, rest = number.partition(".")
    digits = digit_by_digit or len(whole) > LONGEST_NUMBER or (whole.startswith("0") and len(whole) > 1)
    said = "".join(DIGITS[int(digit)] for digit in whole) if digits else _chinese_integer(int(whole))
    return said + ("点" + "".join(DIGITS[int(digit)] for digit in rest) if point else "")


def _chinese_integer(number: int) -> str:
    """Spell an integer below 10^12: groups of four digits, 万 and 亿; one 零 for the zeros between."""
    said = ""
    for unit in ("", "万", "亿"):
        number, group = divmod(number, 10_000)
        said = _four_digits(group) + (unit if group else "") + said
    said = re.sub("零+", "零", said).strip("零")
    return said.removeprefix("一") if said.startswith("一十") else said or "零"


def _four_digits(group: int) -> str:
    pairs = zip(f"{group:04d}", ("千", "百", "十", ""), strict=True)
    return "".join(DIGITS[int(digit)] + (place if digit != "0" else "") for digit, place in pairs).rstrip("零")
