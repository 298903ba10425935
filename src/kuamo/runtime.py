"""Models: imported, loaded and leased when a request needs them; dropped when memory or time says so."""

import importlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psutil

from kuamo import store
from kuamo.catalogue import Catalogue, Model
from kuamo.contracts import Capability, Request, Trace
from kuamo.errors import KuamoError
from kuamo.settings import Settings

LOGGER = logging.getLogger(__name__)
MEMORY_SHARE = 0.75


@dataclass
class Lease:
    """An engine for one request's use; `trace` says where its result comes from."""

    capability: Capability
    model: Model
    engine: Any
    began: float

    def trace(self) -> Trace:
        """Return the trace of the work done since the lease began."""
        return Trace(
            capability=self.capability,
            model=self.model.name,
            source=self.model.source,
            revision=self.model.revision,
            device=self.engine.device,
            precision=self.engine.precision,
            seconds=round(time.perf_counter() - self.began, 3),
        )


@dataclass(eq=False)
class _Slot:
    """A model in memory or on its way there. The one request that runs it holds `turn`; any thread may release it."""

    model: Model
    memory_gb: float
    engine: Any = None
    users: int = 0
    last_used: float = 0.0
    turn: threading.Lock = field(default_factory=threading.Lock)


class Models:
    """The engines of one process, shared by all its requests and safe to call from any thread."""

    def __init__(self, catalogue: Catalogue, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self.catalogue = catalogue
        self.settings = settings
        self._clock = clock
        self._slots: dict[str, _Slot] = {}
        self._changed = threading.Condition()
        self._sweeper: threading.Timer | None = None

    @property
    def budget_gb(self) -> float:
        """The memory that the models in use may take together, in GB."""
        return self.settings.memory_gb or psutil.virtual_memory().total * MEMORY_SHARE / 1e9

    def choose(self, capability: Capability, request: Request) -> Model:
        """Return the model for a request: the one it names, the operator's choice, or the profile's first that serves.

        Raises KuamoError unknown_model, model_not_downloaded, model_unsupported, no_model or no_model_for_language.
        """
        if request.model is not None:
            return self.catalogue.named(request.model, capability)
        if chosen := self.settings.models.get(capability):
            return store.resolve(self.catalogue, capability, chosen)
        profile = self.settings.profile
        rows = self.catalogue.serving(capability, profile)
        for model in rows:
            if model.speaks(request.language):
                return model
        suggestion = self.suggest(capability, request.language)
        if rows:
            raise KuamoError(
                "no_model_for_language", profile=profile, capability=capability, language=request.language,
                suggestion=suggestion,
            )  # fmt: skip
        raise KuamoError("no_model", profile=profile, capability=capability, suggestion=suggestion)

    def suggest(self, capability: Capability, language: str | None) -> str:
        """Return the name of the smallest model to pull that serves a capability in a language; MODEL if none does."""
        rows = [row for row in self.catalogue.serving(capability) if row.speaks(language) and row.parameters]
        rows = [row for row in rows if store.is_from_hub(row)]
        return min(rows, key=lambda row: row.parameters).name if rows else "MODEL"

    @contextmanager
    def lease(self, capability: Capability, request: Request) -> Iterator[Lease]:
        """Give the engine for a request, loaded, to one request at a time (engines marked `concurrent`: to all).

        Raises what `choose` raises, and KuamoError not_enough_memory, package_missing or what loading finds wrong.
        Do not lease a second engine inside: two requests could wait for each other.
        """
        model = self.choose(capability, request)
        slot = self._take(model)
        try:
            with slot.turn:
                if slot.engine is None:
                    slot.engine = self._load(model)
                lease = Lease(capability, model, slot.engine, time.perf_counter())
                if not getattr(slot.engine, "concurrent", False):
                    yield lease
                    return
            yield lease
        finally:
            self._give_back(slot)

    def loaded(self) -> tuple[str, ...]:
        """Return the names of the models in memory."""
        with self._changed:
            return tuple(slot.model.name for slot in self._slots.values() if slot.engine is not None)

    def close(self) -> None:
        """Drop every engine."""
        with self._changed:
            if self._sweeper:
                self._sweeper.cancel()
            self._slots.clear()

    def _take(self, model: Model) -> _Slot:
        with self._changed:
            while (slot := self._slots.get(model.name)) is None:
                new = _Slot(model, model.memory_gb(self.settings.precision))
                if self._makes_room(new):
                    self._slots[model.name] = new
                else:
                    self._changed.wait()
            slot.users += 1
            return slot

    def _makes_room(self, new: _Slot) -> bool:
        budget = self.budget_gb
        if new.memory_gb > budget:
            raise KuamoError("not_enough_memory", name=new.model.name, needed=new.memory_gb, budget=budget)
        while sum(slot.memory_gb for slot in self._slots.values()) + new.memory_gb > budget:
            idle = [slot for slot in self._slots.values() if slot.users == 0]
            if not idle:
                return False
            del self._slots[min(idle, key=lambda slot: slot.last_used).model.name]
        return True

    def _load(self, model: Model) -> Any:
        source = store.locate(model)
        module, _, name = model.engine.partition(":")
        options = dict(model.options)
        if store.is_url(source) and self.settings.remote_key:
            options.setdefault("key", self.settings.remote_key)  # a row may have its own server's key
        if "draw" in model.capabilities and not store.is_url(source) and not self.settings.safety_checker:
            LOGGER.warning("safety_checker is off: no picture that %s draws is withheld", model.name)
            options["safety_checker"] = False
        try:
            engine = getattr(importlib.import_module(module), name)
            return engine.load(source, device=self.settings.device, precision=self.settings.precision, **options)
        except ModuleNotFoundError as error:
            if (error.name or "kuamo").split(".")[0] == "kuamo":
                raise
            raise KuamoError("package_missing", name=model.name, package=error.name) from error

    def _give_back(self, slot: _Slot) -> None:
        with self._changed:
            slot.users -= 1
            slot.last_used = self._clock()
            if slot.engine is None and slot.users == 0:  # it did not load
                self._slots.pop(slot.model.name, None)
            self._changed.notify_all()
            self._sweep_later()

    def _sweep_later(self) -> None:
        if self._sweeper:
            self._sweeper.cancel()
        self._sweeper = threading.Timer(self.settings.idle_seconds, self.sweep)
        self._sweeper.daemon = True
        self._sweeper.start()

    def sweep(self) -> None:
        """Drop the engines that nobody has used for `idle_seconds`."""
        with self._changed:
            now = self._clock()
            for name, slot in list(self._slots.items()):
                if slot.users == 0 and now - slot.last_used >= self.settings.idle_seconds:
                    del self._slots[name]
