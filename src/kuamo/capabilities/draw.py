"""A prompt to pictures."""

import re
from collections.abc import Generator
from contextlib import closing
from dataclasses import replace

from kuamo.capabilities.chat import chat
from kuamo.catalogue import Model
from kuamo.contracts import ChatRequest, Drawing, DrawRequest, DrawStep, Message, Picture, Sampling, Trace
from kuamo.errors import KuamoError
from kuamo.media.limits import Limits
from kuamo.media.text import clean_text, is_chinese
from kuamo.messages import say
from kuamo.runtime import Models
from kuamo.stream import Stream

TRANSLATED_TOKENS = 300
SIZE = re.compile(r"\s*(\d{1,9})\s*[xX×*]\s*(\d{1,9})\s*")


def draw(request: DrawRequest, models: Models) -> Stream[DrawStep | Picture, Drawing]:
    """Draw a prompt; steps and pictures as they come, then the Drawing.

    A prompt in a language that the model does not read, as the catalogue has it, is translated into English where the
    settings name a `translator`. Raises KuamoError text_empty, text_too_long, and prompt_not_read where nothing
    translates.
    """
    return Stream(_draw(_cleaned(request, models.settings.limits), models))


def size_named(text: str) -> tuple[int, int]:
    """Return the width and height in pixels that a text like 768x512 names. Raises KuamoError not_a_size."""
    sides = SIZE.fullmatch(text)
    if not sides:
        raise KuamoError("not_a_size", given=text)
    return int(sides[1]), int(sides[2])


def _draw(request: DrawRequest, models: Models) -> Generator[DrawStep | Picture, None, Drawing]:
    readable, traces = _readable(request, models)
    with models.lease("draw", readable) as lease:
        settle = getattr(lease.engine, "settle", None)
        settled = settle(readable) if settle else readable
        pictures = []
        with closing(lease.engine.draw(settled)) as events:
            for event in events:
                if isinstance(event, Picture):
                    pictures.append(event)
                yield event
        original = None if request.prompt == settled.prompt else request.prompt
        return Drawing(tuple(pictures), (*traces, lease.trace()), settled, original)


def _cleaned(request: DrawRequest, limits: Limits) -> DrawRequest:
    limits = replace(limits, characters=limits.prompt_characters)
    prompt, negative = (
        text.encode("utf-8", "replace").decode() for text in (request.prompt, request.negative_prompt)
    )  # half a character, as a terminal may hand over, can be neither told nor saved
    negative = clean_text(negative, limits) if negative.strip() else ""
    return replace(request, prompt=clean_text(prompt, limits), negative_prompt=negative)


def _readable(request: DrawRequest, models: Models) -> tuple[DrawRequest, tuple[Trace, ...]]:
    """Return a request that its model can read, and where the translation came from, if it is one."""
    language = request.language or ("zh" if is_chinese(request.prompt + request.negative_prompt) else None)
    model = _model(replace(request, language=language), models)
    if model.speaks(language):
        return replace(request, language=language), ()
    if not (models.settings.translator and model.speaks("en")):
        raise KuamoError(
            "prompt_not_read", name=model.name, language=language, languages=", ".join(model.languages),
            suggestion=models.suggest("draw", language),
        )  # fmt: skip
    prompt, traces = _in_english(request.prompt, language, models)
    negative, more = _in_english(request.negative_prompt, language, models)
    return replace(request, prompt=prompt, negative_prompt=negative, language="en"), (*traces, *more)


def _model(request: DrawRequest, models: Models) -> Model:
    """Return the model in force: of a profile's the first that reads the language, or else the first of all."""
    profile = models.catalogue.serving("draw", models.settings.profile)
    free = request.model is None and "draw" not in models.settings.models
    known = any(model.speaks(request.language) for model in profile)
    return models.choose("draw", replace(request, language=None) if free and not known else request)


def _in_english(text: str, language: str | None, models: Models) -> tuple[str, tuple[Trace, ...]]:
    """Return a text in English, by the translator where it is not. Raises KuamoError not_translated."""
    if not text or (language == "zh" and not is_chinese(text)):
        return text, ()
    turns = (Message("system", say("prompt.translate")), Message("user", text))
    sampling = Sampling(max_new_tokens=TRANSLATED_TOKENS, temperature=0)
    translator = models.settings.translator
    answer = chat(ChatRequest(messages=turns, sampling=sampling, model=translator), models).result()
    translation = " ".join(answer.text.split()).strip('"“”')
    if not translation or is_chinese(translation):
        raise KuamoError("not_translated", name=translator)
    return translation, answer.traces
