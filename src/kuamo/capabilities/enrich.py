"""A prompt with the words for a style and a quality, to be shown and changed before it is drawn."""

import re
from functools import cache
from typing import Any

from kuamo.errors import KuamoError
from kuamo.media.text import is_chinese
from kuamo.messages import Language
from kuamo.world.tables import read_table

STYLES: tuple[str, ...] = tuple(read_table("prompts")["style"])
"""photo, oil, cartoon, watercolour and sketch."""

QUALITIES: dict[str, dict[Language, tuple[str, ...]]] = {
    "standard": {"en": (), "zh": ()},
    "high": {"en": ("high quality",), "zh": ("高质量",)},
    "best": {"en": ("best quality", "highly detailed", "masterpiece"), "zh": ("高清", "细节丰富", "杰作")},
}
"""What is added for each quality."""

LAST_PART = re.compile(r"(.+)[,，](.+?)", re.DOTALL)
ENDS = " \t\r\n.,;。，；、"


def enrich(prompt: str, style: str = "", quality: str = "standard") -> str:
    """Return a prompt with style and quality named at its end, in its own language (Chinese or English).

    `style` is one of STYLES or a word for one (油画); "" and the quality "standard" leave what the prompt says. Nothing
    is said twice: a style that the prompt names stays as it is, and what was added before for another is replaced.
    Raises KuamoError not_one_of.
    """
    language: Language = "zh" if is_chinese(prompt) else "en"
    if quality not in QUALITIES:
        raise KuamoError("not_one_of", what="quality", value=quality, possible=", ".join(QUALITIES))
    body, styled, praised = _parted(prompt, language)
    if style:
        named = _names_style(body, style_named(style))
        styled = () if named else (_words(style_named(style))[language][0],)
    praise = QUALITIES[quality][language] or praised
    added = [*styled, *(word for word in praise if not _holds(body, word))]
    return ("，" if language == "zh" else ", ").join((body, *added)) if body and added else prompt


def style_named(word: str) -> str:
    """Return the one of STYLES that a word means, in either language. Raises KuamoError not_one_of."""
    for style in STYLES:
        if word.strip().lower() in (style, *(name for names in _words(style).values() for name in names)):
            return style
    raise KuamoError("not_one_of", what="style", value=word, possible=", ".join(STYLES))


def _words(style: str) -> dict[Language, list[str]]:
    words: dict[Language, list[str]] = read_table("prompts")["style"][style]
    return words


def _parted(prompt: str, language: Language) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Return a prompt, and apart from it the styles and the praise that `enrich` has put at its end."""
    body = prompt.strip(ENDS)
    styled: list[str] = []
    praised: list[str] = []
    while (found := LAST_PART.fullmatch(body)) and (word := found[2].strip()) in _added(language):
        (styled if _added(language)[word] else praised).insert(0, word)
        body = found[1].strip(ENDS)
    return body, tuple(styled), tuple(praised)


@cache
def _added(language: Language) -> dict[str, bool]:
    """Return every word that is ever added in a language, and whether it names a style."""
    styles = [_words(style)[language][0] for style in STYLES]
    praise = [word for words in QUALITIES.values() for word in words[language]]
    return dict.fromkeys(praise, False) | dict.fromkeys(styles, True)


def _names_style(text: str, style: str) -> bool:
    tables: list[dict[str, Any]] = [read_table("prompts")[name][style] for name in ("style", "picture")]
    return any(_holds(text, word) for table in tables for words in table.values() for word in words)


def _holds(text: str, word: str) -> bool:
    """Whether a text has a word: in Latin letters only as a whole."""
    return bool(re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", text.lower()))
