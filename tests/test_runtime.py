"""Engines are loaded once, lazily, leased one request at a time, and dropped by memory and by time."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Self

import pytest

from kuamo.capabilities.chat import chat
from kuamo.catalogue import Catalogue
from kuamo.contracts import Capability, ChatRequest, Message, Precision
from kuamo.errors import KuamoError
from kuamo.runtime import Models
from kuamo.settings import Settings
from kuamo.store import is_from_hub

LOADS: list[str] = []


class Parrot:
    """A chat engine that says what it hears, word by word."""

    device = "cpu"
    precision = "none"
    busy = 0
    most_busy = 0

    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    def load(cls, source: str, *, device: str, precision: Precision, **options: Any) -> Self:
        time.sleep(0.02)
        LOADS.append(source)
        if source == "broken":
            raise KuamoError("model_unsupported", name=source, capability="chat", reason="it is broken")
        if source == "packageless":
            import a_package_that_nobody_has  # noqa: F401
        return cls(source)

    def chat(self, request: ChatRequest) -> Iterator[str]:
        type(self).busy += 1
        type(self).most_busy = max(self.busy, self.most_busy)
        try:
            for word in request.messages[-1].text.split():
                time.sleep(0.002)
                yield word + " "
        finally:
            type(self).busy -= 1


class Flock(Parrot):
    """A parrot that answers many at once."""

    concurrent = True


def row(name: str, engine: str = "Parrot", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "capabilities": ["chat"],
        "engine": f"{__name__}:{engine}",
        "source": f"package:{name}",
        "memory_mb": 1000,
        "profiles": ["nano"],
        **more,
    }


@pytest.fixture(autouse=True)
def fresh() -> None:
    LOADS.clear()
    Parrot.busy = Parrot.most_busy = Flock.most_busy = Flock.busy = 0


def models(*rows: dict[str, Any], clock: Any = time.monotonic, **flags: Any) -> Models:
    settings = Settings.read(model=rows, **flags)
    return Models(Catalogue.load(settings.model), settings, clock)


def ask(name: str | None = None, text: str = "good morning dear parrot", language: str | None = None) -> ChatRequest:
    return ChatRequest(messages=(Message("user", text),), model=name, language=language)


def code_of(call: Any) -> str:
    with pytest.raises(KuamoError) as caught:
        call()
    return caught.value.code


def test_an_engine_is_loaded_once_and_only_when_needed() -> None:
    house = models(row("polly"))
    assert house.loaded() == ()
    for _ in range(3):
        assert chat(ask("polly"), house).result().text == "good morning dear parrot"
    assert LOADS == ["polly"]
    assert house.loaded() == ("polly",)


def run_together(count: int, work: Any) -> list[Any]:
    results: list[Any] = [None] * count

    def call(place: int) -> None:
        results[place] = work(place)

    threads = [threading.Thread(target=call, args=(place,)) for place in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return results


def test_requests_take_turns_and_each_gets_its_own_answer() -> None:
    house = models(row("polly"))
    texts = run_together(8, lambda place: chat(ask("polly", f"number {place}"), house).result().text)
    assert texts == [f"number {place}" for place in range(8)]
    assert LOADS == ["polly"]
    assert Parrot.most_busy == 1


def test_a_concurrent_engine_serves_many_at_once() -> None:
    house = models(row("flock", "Flock"))
    run_together(4, lambda place: chat(ask("flock", "a b c d e f g h i j"), house).result())
    assert Flock.most_busy > 1


def test_the_longest_unused_makes_room() -> None:
    house = models(row("a"), row("b"), row("c"), memory_gb=2.5)
    for name in ("a", "b", "a", "c"):
        chat(ask(name), house).result()
    assert house.loaded() == ("a", "c")


def test_an_engine_in_use_is_never_dropped_the_newcomer_waits() -> None:
    house = models(row("a"), row("b"), memory_gb=1.5)
    talk = chat(ask("a"), house)
    waiting = threading.Thread(target=lambda: chat(ask("b"), house).result())
    waiting.start()
    time.sleep(0.05)
    assert house.loaded() == ("a",)
    assert talk.result().text == "good morning dear parrot"
    waiting.join(10)
    assert house.loaded() == ("b",)


def test_a_model_larger_than_the_budget_is_refused() -> None:
    assert code_of(lambda: chat(ask("a"), models(row("a", memory_mb=9000), memory_gb=1))) == "not_enough_memory"


def test_an_idle_engine_is_dropped_after_its_time() -> None:
    now = [0.0]
    house = models(row("a"), row("b"), clock=lambda: now[0], idle_seconds=60)
    chat(ask("a"), house).result()
    now[0] = 50
    chat(ask("b"), house).result()
    now[0] = 70
    house.sweep()
    assert house.loaded() == ("b",)
    house.close()
    assert house.loaded() == ()


def test_the_timer_sweeps_by_itself() -> None:
    house = models(row("a"), idle_seconds=0.05)
    chat(ask("a"), house).result()
    deadline = time.monotonic() + 5
    while house.loaded() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert house.loaded() == ()


def test_a_stream_closed_early_gives_the_engine_back() -> None:
    house = models(row("polly"))
    stream = chat(ask("polly"), house)
    assert next(stream) == "good "
    stream.close()
    assert Parrot.busy == 0
    assert chat(ask("polly", "again"), house).result().text == "again"


def test_a_load_that_fails_can_be_tried_again_and_says_why() -> None:
    house = models(row("broken"), row("packageless"))
    for _ in range(2):
        assert code_of(lambda: chat(ask("broken"), house)) == "model_unsupported"
    assert LOADS == ["broken", "broken"]
    assert code_of(lambda: chat(ask("packageless"), house)) == "package_missing"
    assert house.loaded() == ()


def test_the_model_is_the_requests_then_the_operators_then_the_profiles() -> None:
    house = models(row("a"), row("b"), row("german", languages=["de"]), models={"chat": "b"})
    assert house.choose("chat", ask("a")).name == "a"
    assert house.choose("chat", ask()).name == "b"
    house = models(row("a", languages=["en"]), row("german", languages=["de"]))
    assert house.choose("chat", ask()).name == "a"
    assert house.choose("chat", ask(language="de-AT")).name == "german"
    assert code_of(lambda: house.choose("chat", ask("nobody"))) == "unknown_model"


def test_what_no_model_serves_is_told_with_the_command_for_one() -> None:
    house = models(profile="nano")
    with pytest.raises(KuamoError) as caught:
        house.choose("transcribe", replace(ask(), language="sw"))
    assert caught.value.code == "no_model_for_language"
    with pytest.raises(KuamoError) as caught:
        house.choose("draw", ask())
    assert caught.value.code == "no_model"
    assert "kuamo models pull" in caught.value.line("zh")


@pytest.mark.parametrize("capability", ["answer", "chat", "embed"])
def test_what_is_suggested_can_be_pulled(capability: Capability) -> None:
    house = models(profile="remote")
    for language in ("en", "zh"):
        row = house.catalogue.named(house.suggest(capability, language), capability)
        assert is_from_hub(row)
        assert row.speaks(language)


def test_a_trace_says_where_a_result_came_from() -> None:
    (trace,) = chat(ask("polly"), models(row("polly", revision="7"))).result().traces
    assert (trace.capability, trace.model, trace.source, trace.revision) == ("chat", "polly", "package:polly", "7")
    assert (trace.device, trace.precision) == ("cpu", "none")
    assert trace.seconds > 0
