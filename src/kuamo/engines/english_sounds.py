"""How written English sounds: signs and numerals as words, words as the phonemes of the CMU dictionary."""

import re

from kuamo.engines.espeak_library import phonemes_of, voice_for
from kuamo.engines.words import spoken_form

SIGNS = {"&": "and", "%": "percent", "+": "plus", "=": "equals", "@": "at", "#": "number", "°": "degrees"}
SIGNS |= {"$": "dollars", "€": "euros", "£": "pounds", "¥": "yen"}
PRICE = re.compile(r"([$€£¥])\s*(\d[\d,.]*\d|\d)")
TOKEN = re.compile(r"[^\W\d_]+(?:['.][^\W\d_]+)*\.?|[&%+=@#°$€£¥]")

# IPA as espeak writes it, to ARPAbet without stress; the longer signs are found first.
ARPABET = {
    "tʃ": "CH", "dʒ": "JH", "aɪ": "AY", "aʊ": "AW", "eɪ": "EY", "oʊ": "OW", "ɔɪ": "OY", "n̩": "AH N", "l̩": "AH L",
    "p": "P", "b": "B", "t": "T", "d": "D", "k": "K", "ɡ": "G", "g": "G", "f": "F", "v": "V", "θ": "TH", "ð": "DH",
    "s": "S", "z": "Z", "ʃ": "SH", "ʒ": "ZH", "h": "HH", "x": "K", "ç": "HH", "m": "M", "n": "N", "ŋ": "NG", "ɲ": "N Y",
    "l": "L", "ɬ": "L", "ɹ": "R", "r": "R", "ʁ": "R", "w": "W", "j": "Y", "ɾ": "T", "ʔ": "T", "i": "IY", "y": "UW",
    "ɪ": "IH", "ᵻ": "IH", "e": "EY", "ɛ": "EH", "æ": "AE", "a": "AA", "ɑ": "AA", "ɒ": "AA", "ɐ": "AH", "ʌ": "AH",
    "ə": "AH", "ɚ": "ER", "ɜ": "ER", "ɝ": "ER", "ɔ": "AO", "o": "OW", "ø": "ER", "œ": "ER", "ʊ": "UH", "u": "UW",
}  # fmt: skip
SIGN = re.compile("|".join(sorted(ARPABET, key=len, reverse=True)))


def said_words(word: str) -> tuple[str, ...]:
    """Return the plain words that a written one is said as: $5 is five dollars, 21st twenty first, R&D R and D."""
    spoken = spoken_form(PRICE.sub(r"\2 \1", word.replace("\u2019", "'")), "en")
    return tuple(SIGNS.get(token, token) for token in TOKEN.findall(spoken))


def arpabet(word: str) -> tuple[str, ...]:
    """Return a word's phonemes by eSpeak NG's American English, as ARPAbet; none where it says nothing."""
    spoken = re.sub(r"\(\w+\)|[ˈˌː]", "", "".join(phonemes_of(word, voice_for("en-us"))))
    return tuple(" ".join(ARPABET[sign] for sign in SIGN.findall(spoken)).split())
