"""What `kuamo doctor` looks at outside the engines: Python, packages, device, cache, hub and microphone."""

import importlib.util
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from kuamo import __version__
from kuamo.cli.session import Session

if TYPE_CHECKING:
    from packaging.requirements import Requirement

Finding = tuple[Literal["ok", "warn", "broken"], str]
"""How a thing stands, and what was found or is to be done."""


def _python(session: Session) -> Finding:
    return "ok", f"{platform.python_version()}, kuamo {__version__}, {platform.platform()}"


def _packages(session: Session) -> Finding:
    wanted = [requirement for requirement in _requirements() if not requirement.marker]
    if missing := [str(requirement) for requirement in wanted if not _installed(requirement)]:
        return "broken", session.say("doctor.missing", names=", ".join(missing), what="kuamo")
    return "ok", session.say("doctor.present", count=len(wanted))


def _packages_for_models(session: Session) -> Finding:
    wanted = [r for r in _requirements() if r.marker and r.marker.evaluate({"extra": "models"})]
    found = {requirement.name: _installed(requirement) for requirement in wanted}
    present = ", ".join(f"{name} {number}" for name, number in found.items() if number)
    if missing := ", ".join(name for name, number in found.items() if not number):
        advice = session.say("doctor.missing", names=missing, what="kuamo[models]")
        return "warn", "; ".join(filter(None, (present, advice)))
    return "ok", present


def _requirements() -> "Iterator[Requirement]":
    from packaging.requirements import Requirement

    return map(Requirement, requires("kuamo") or [])


def _installed(requirement: "Requirement") -> str | None:
    """The version installed, None where there is none or it is not one that is wanted."""
    try:
        number = version(requirement.name)
    except PackageNotFoundError:
        return None
    return number if requirement.specifier.contains(number, prereleases=True) else None


def _device(session: Session) -> Finding:
    import psutil

    memory = psutil.virtual_memory()
    return "ok", session.say(
        "doctor.machine",
        cores=os.cpu_count(),
        memory=memory.total / 1e9,
        free=memory.available / 1e9,
        accelerator=_accelerator(session),
    )


def _accelerator(session: Session) -> str:
    if importlib.util.find_spec("torch") is None:
        return session.say("doctor.no_torch")
    import torch

    cards = [torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count())]
    if cards:
        return ", ".join(f"{card.name} ({card.total_memory / 1e9:.0f} GB)" for card in cards)
    return "Apple MPS" if torch.backends.mps.is_available() else session.say("doctor.no_accelerator")


def _cache(session: Session) -> Finding:
    from huggingface_hub.constants import HF_HUB_CACHE

    folder = Path(HF_HUB_CACHE)
    there = next(place for place in (folder, *folder.parents) if place.exists())
    if not os.access(there, os.W_OK):
        return "warn", session.say("doctor.not_writable", folder=folder)
    return "ok", session.say("doctor.space", folder=folder, free=shutil.disk_usage(there).free / 1e9)


def _hub(session: Session) -> Finding:
    """Tell where `models pull` would download from; nothing is asked of the network here."""
    from huggingface_hub.constants import ENDPOINT, HF_HUB_OFFLINE

    from kuamo.settings import hub_variables

    listed = ", ".join(f"{name}={value}" for name, value in hub_variables().items())
    variables = f" ({listed})" if listed else ""
    if HF_HUB_OFFLINE:
        return "ok", session.say("doctor.offline", variables=variables)
    return "ok", session.say("doctor.online", endpoint=ENDPOINT, variables=variables)


def _microphone(session: Session) -> Finding:
    from kuamo.cli.sound import has_microphone
    from kuamo.errors import KuamoError

    if not has_microphone():
        raise KuamoError("no_microphone")
    return "ok", session.say("doctor.found")


MACHINE: dict[str, Callable[[Session], Finding]] = {
    "python": _python,
    "packages": _packages,
    "extra_models": _packages_for_models,
    "device": _device,
    "cache": _cache,
    "hub": _hub,
    "microphone": _microphone,
}
"""What is looked at, by its name in messages.toml under [doctor]."""
