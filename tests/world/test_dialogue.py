"""The dialogues are the same for a seed, right by their facts, in two languages, and hold out what they say they do."""

import re
from itertools import chain
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kuamo.messages import Language
from kuamo.world.dialogue import CONTEXT, Dialogue, dialogue, examination
from kuamo.world.phrases import LANGUAGES, SPLITS, beyond, expansions, held_to, intents, number_row, row_of, spoken
from kuamo.world.strangers import any_word
from kuamo.world.wording import recognised, typed

HAN = re.compile(r"[\u4e00-\u9fff]")
numbers = st.integers(0, 10**6)


@settings(deadline=None)
@given(seed=numbers, number=numbers, split=st.sampled_from(sorted(set(SPLITS))))
def test_a_dialogue_is_the_same_again_and_every_turn_has_a_question_and_a_right_answer(seed, number, split) -> None:
    talk = dialogue(split, seed, number)
    assert talk == dialogue(split, seed, number)
    assert 1 <= len(talk.turns) <= 5
    for turn in talk.turns:
        assert turn.question.strip()
        assert turn.answer.strip()
        assert turn.answer in turn.right
        assert "{" not in turn.question + turn.answer


def test_another_seed_or_number_is_another_dialogue() -> None:
    talks = {str(dialogue("train", seed, number).messages()) for seed in range(5) for number in range(20)}
    assert len(talks) == 100


def test_messages_alternate_and_a_system_message_comes_first() -> None:
    seen = set()
    for number in range(200):
        roles = [message["role"] for message in dialogue("train", 1, number).messages()]
        spoken_by = roles[1:] if roles[0] == "system" else roles
        assert spoken_by == ["user", "assistant"] * (len(spoken_by) // 2)
        seen.add(roles[0])
    assert seen == {"system", "user"}


def test_there_are_many_intents_with_many_wordings_and_answers_that_mean_the_same() -> None:
    assert len(intents()) >= 60
    for intent in intents():
        for language in LANGUAGES:
            assert len(intent.ask[language]) >= 12, (intent.name, language)
            assert len(intent.ask[language]) - len(held_to(intent.ask[language], "train")) >= 3
        assert len(intent.say["en"]) == len(intent.say["zh"]) > 0, intent.name
        assert len(intent.more["en"]) == len(intent.more["zh"]), intent.name
    assert len(beyond().say["en"]) == len(beyond().say["zh"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_wording_stands_for_two_intents_or_in_two_splits(language: Language) -> None:
    seen: dict[str, tuple[str, str]] = {}
    for intent in intents():
        for split in set(SPLITS):
            for wording in chain.from_iterable(map(expansions, held_to(intent.ask[language], split))):
                key = recognised(wording, language)
                assert seen.setdefault(key, (intent.name, split)) == (intent.name, split), wording
    for intent in intents():
        for wording in chain.from_iterable(map(expansions, intent.further[language])):
            assert seen.setdefault(recognised(wording, language), (intent.name, ""))[0] == intent.name, wording
    for topic in (*beyond().topics, *beyond().further_topics):
        for wording in chain.from_iterable(map(expansions, topic[language])):
            assert recognised(wording, language) not in seen, wording
    assert len(seen) > 2_000


def test_held_out_questions_never_come_in_training() -> None:
    def asked(talk: Dialogue) -> str:
        return recognised(talk.turns[-1].question, talk.turns[-1].language)

    held = {asked(talk) for split in ("test", "validation") for talk in examination(split, 0, 1)}
    trained = {
        recognised(turn.question, turn.language)
        for number in range(3_000)
        for turn in dialogue("train", 0, number).turns
    }
    assert len(held) > 700
    assert len(trained) > 2_000
    assert not held & trained


def test_topics_and_strangers_are_held_out_whole() -> None:
    for items in (beyond().topics, beyond().strangers):
        parts = [held_to(items, split) for split in ("train", "test", "validation")]
        assert sum(map(len, parts)) == len(items)
        assert min(map(len, parts)) >= 4


def test_further_topics_and_strangers_share_no_english_word_with_those_held_out() -> None:
    def words(*lines: str) -> set[str]:
        return {word for line in lines for word in re.findall(r"[a-z']{4,}", line.lower())}

    def english(topics, strangers) -> set[str]:
        return words(*(line for topic in topics for line in topic["en"]), *(one["en"] for one in strangers))

    table = beyond()
    known = english(*(held_to(items, "train") for items in (table.topics, table.strangers)))
    known |= words(*table.frames["en"])
    for intent in intents():
        known |= words(*held_to(intent.ask["en"], "train"), *intent.further["en"], *intent.more_further["en"])
        known |= words(*(way for row in intent.rows for ways in row["en"].values() for way in ways))
    for split in ("test", "validation"):
        held = english(*(held_to(items, split) for items in (table.topics, table.strangers))) - known
        assert len(held) > 20
        assert not held & english(table.further_topics, table.further_strangers)


def test_an_examination_covers_every_intent_and_both_languages() -> None:
    last = [talk.turns[-1] for talk in examination("test", 0, 1)]
    assert {(turn.kind, turn.language) for turn in last} == {
        (kind, language) for kind in ("in scope", "follow-up", "beyond") for language in LANGUAGES
    }
    for language in LANGUAGES:
        assert {intent.name for intent in intents()} <= {turn.intent for turn in last if turn.language == language}


def test_answers_come_in_the_language_of_the_question_and_in_the_other_when_that_is_asked() -> None:
    for number in range(500):
        for turn in dialogue("train", 2, number).turns:
            if turn.intent in (*CONTEXT, "count_to", "translate", "spell"):
                continue
            assert bool(HAN.search(turn.answer)) == (turn.language == "zh"), turn


def test_sums_are_right() -> None:
    rights = {"plus": lambda a, b: a + b, "minus": lambda a, b: a - b, "times": lambda a, b: a * b}
    for intent in (intent for intent in intents() if intent.name in rights):
        for row in intent.rows:
            a, b, c = (int(row["zh"][name][0]) for name in "abc")
            assert rights[intent.name](a, b) == c >= 0


@pytest.mark.parametrize(
    ("number", "chinese", "english"),
    [
        (0, "零", "zero"),
        (10, "十", "ten"),
        (21, "二十一", "twenty one"),
        (105, "一百零五", "one hundred and five"),
        (1_010, "一千零一十", "one thousand and ten"),
        (99_999, "九万九千九百九十九", "ninety nine thousand nine hundred and ninety nine"),
    ],
)
def test_numbers_in_words(number: int, chinese: str, english: str) -> None:
    assert spoken(number, "zh") == chinese
    assert spoken(number, "en") == english


def test_a_row_is_read_from_a_line() -> None:
    row = row_of("a dog/dogs, 4; 狗, 4", ("animal", "legs"))
    assert row["en"] == {"animal": ("a dog", "dogs"), "legs": ("4",)}
    assert row["zh"]["animal"] == ("狗",)
    assert number_row(3, "7") == "3/three, 7; 3/三, 7"
    with pytest.raises(ValueError, match="zip"):
        row_of("a dog; 狗", ("animal", "legs"))


@settings(deadline=None)
@given(number=numbers, language=st.sampled_from(LANGUAGES))
def test_any_word_is_a_word_of_the_language(number, language) -> None:
    word = any_word(language, Random(number))
    assert re.fullmatch(r"[a-z']{3,}" if language == "en" else r"[\u4e00-\u9fff]{1,4}", word)


def test_wordings() -> None:
    assert recognised("What's the Time, Kuamo?", "en") == "what's the time kuamo"
    assert recognised("谢谢 你好！", "zh") == "谢谢你好"
    assert typed("what does kuamo mean", "en", Random(1)).startswith("What does Kuamo mean")
    assert typed("好的 谢谢", "zh", Random(1)).startswith("好的，谢谢")
