"""`kuamo doctor`: what works on this machine, found out by trying it."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, get_args

import typer

from kuamo.cli.session import Session
from kuamo.errors import KuamoError

if TYPE_CHECKING:
    from kuamo.cli.machine import Finding

COLOURS = {"ok": "green", "warn": "yellow", "broken": "red"}


def doctor(session: Session) -> None:
    """Try what works on this machine; exit 1 if something is broken."""
    checks = []
    for name, look in _looks(session).items():
        state, detail = _finding(session, look)
        checks.append({"name": name, "state": state, "detail": detail})
        if not session.as_json:
            word = typer.style(session.say(f"doctor.{state}").ljust(6), fg=COLOURS[state])
            typer.echo(f"{word} {name}: {detail}")
    healthy = all(check["state"] != "broken" for check in checks)
    session.show("", healthy=healthy, checks=checks)
    if not healthy:
        raise typer.Exit(1)


def _looks(session: Session) -> "dict[str, Callable[[Session], Finding]]":
    from kuamo.cli.machine import MACHINE
    from kuamo.cli.trials import try_capability
    from kuamo.contracts import Capability

    machine = {session.say(f"doctor.{name}"): look for name, look in MACHINE.items()}
    return machine | {name: partial(try_capability, capability=name) for name in get_args(Capability)}


def _finding(session: Session, look: "Callable[[Session], Finding]") -> "Finding":
    try:
        return look(session)
    except KuamoError as error:
        return "warn", error.line(session.language)
    except Exception as error:  # noqa: BLE001 - whatever is broken is what the user asks to hear
        return "broken", session.say("doctor.failed", reason=f"{type(error).__name__}: {error}")
