"""The chat model in the box answers wordings that its training never saw, by the path every user takes."""

from functools import cache

import pytest

from kuamo.capabilities.chat import chat
from kuamo.catalogue import Catalogue
from kuamo.contracts import Answer, ChatRequest, Message, Sampling
from kuamo.messages import Language, say
from kuamo.runtime import Models
from kuamo.settings import Settings
from kuamo.world.phrases import beyond, held_to, intents


@cache
def models() -> Models:
    """The models of the default settings."""
    return Models(Catalogue.load(), Settings())


def ask(*turns: str, system: str = "") -> Answer:
    """Return the answer to the last of the turns, which the user begins."""
    roles = ("user", "assistant") * len(turns)
    messages = [Message(role, text) for role, text in zip(roles, turns, strict=False)]
    if system:
        messages.insert(0, Message("system", system))
    return chat(ChatRequest(messages=tuple(messages), sampling=Sampling(seed=1)), models()).result()


def answers(intent: str, language: Language) -> tuple[str, ...]:
    """Return the answers of an intent without facts."""
    found = next(one for one in intents() if one.name == intent)
    return found.answers(language, found.rows[0])


@pytest.mark.parametrize(
    ("question", "intent", "language"),
    [
        ("Tell me who you are.", "who_are_you", "en"),
        ("can i use you without internet", "offline", "en"),
        ("tell me something funny", "joke", "en"),
        ("i want subtitles for my video", "subtitles", "en"),
        ("can you be smarter", "bigger_model", "en"),
        ("没有网络你能用吗", "offline", "zh"),
        ("你能转写录音吗", "transcribe", "zh"),
        ("怎么让你更聪明？", "bigger_model", "zh"),
    ],
)
@pytest.mark.parametrize("with_system", [False, True])
def test_small_talk_and_questions_about_the_assistant(
    question: str, intent: str, language: Language, with_system: bool
) -> None:
    answer = ask(question, system=say("prompt.assistant", language) if with_system else "")
    assert answer.text in answers(intent, language)
    assert answer.traces[0].model == "nano-chat"


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("tell me the colour of a banana", "yellow"),
        ("Which word is the opposite of hot?", "cold"),
        ("what is three and five", "8"),
        ("what is the chinese word for cat", "猫"),
        ("告诉我香蕉的颜色", "黄色"),
        ("什么词和热相反？", "冷"),
        ("把猫翻译成英语", "cat"),
        ("三加五等于几", "8"),
    ],
)
def test_simple_facts(question: str, fact: str) -> None:
    assert fact in ask(question).text


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("should i buy bitcoin", "en"),
        ("Who invented the umbrella?", "en"),
        ("怎么换轮胎", "zh"),
        ("我该买股票吗？", "zh"),
    ],
)
def test_what_it_does_not_know_it_says(question: str, language: Language) -> None:
    assert ask(question).text in beyond().say[language]


def test_a_later_turn_refers_to_the_one_before() -> None:
    first = "What's the opposite of big?"
    assert "small" in (reply := ask(first).text)
    assert "小" in ask(first, reply, "and in chinese").text
    assert "night" in ask(first, reply, "and day").text


def test_the_wordings_asked_here_are_held_out() -> None:
    joke = next(one for one in intents() if one.name == "joke")
    assert "(say|tell me) something funny" in held_to(joke.ask["en"], "test")
