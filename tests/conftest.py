"""What every test may use."""

import ipaddress
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

import small_checkpoints
import small_speech_checkpoints

settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")

DATA = Path(__file__).parents[2] / "shared" / "data"
_outside: list[str] = []


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real recordings and pictures beside the checkout."""
    if not DATA.is_dir():
        pytest.skip("the folder of real recordings and pictures is not here")
    return DATA


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function from a small checkpoint's name (`llava` for write_llava) to its folder, written once.

    Copy it before you change it.
    """

    @cache
    def folder(name: str) -> Path:
        module = small_speech_checkpoints if hasattr(small_speech_checkpoints, f"write_{name}") else small_checkpoints
        written: Path = getattr(module, f"write_{name}")(tmp_path_factory.mktemp("checkpoints") / name)
        return written

    return folder


def _refuse_network(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    if not _is_this_machine(host):
        _outside.append(str(host))
        raise PermissionError(f"no test may use the network: {host}")


def _is_this_machine(host: str | bytes | None) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost", "0.0.0.0", "::"):
        return True
    try:
        return ipaddress.ip_address(str(name)).is_loopback
    except ValueError:
        return False


sys.addaudithook(_refuse_network)


@pytest.fixture(autouse=True)
def no_network() -> Iterator[None]:
    """Fail a test that looked further than this machine, whatever became of the attempt."""
    _outside.clear()
    yield
    assert not _outside, f"reached for the network: {_outside}"
