"""The program on a terminal of its own, for tests of what only happens there."""

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("kuamo")


class Terminal:
    """`kuamo` on a terminal: what it shows, and a keyboard."""

    def __init__(self, screen: int, run: subprocess.Popen[bytes]) -> None:
        self.run = run
        self._screen = screen
        self._shown = b""

    def type(self, keys: str) -> None:
        os.write(self._screen, keys.encode())

    def until(self, text: str) -> None:
        """Read on until `text` is shown; fail where the program ends before it is."""
        while text.encode() not in self._shown:
            more = self._more()
            assert more, f"ended without {text!r}"
            self._shown += more
        self._shown = self._shown.split(text.encode(), 1)[1]

    def rest(self) -> str:
        """Read to the end, where Linux gives an error."""
        with suppress(OSError):
            while more := self._more():
                self._shown += more
        return self._shown.decode()

    def _more(self) -> bytes:
        return os.read(self._screen, 4096)


@contextmanager
def terminal(*arguments: object) -> Iterator[Terminal]:
    """Run the program on a terminal of its own."""
    screen, device = pty.openpty()
    environment = os.environ | {"TERM": "dumb"}
    with subprocess.Popen(
        [PROGRAM, *map(str, arguments)], stdin=device, stdout=device, stderr=device, env=environment,
        start_new_session=True,
    ) as run:  # fmt: skip
        os.close(device)
        yield Terminal(screen, run)
        run.kill()
    os.close(screen)
