"""Speech out of the loudspeaker and into the microphone, through PortAudio."""

import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Self

from kuamo.cli.output import check_writable
from kuamo.cli.session import Session
from kuamo.errors import KuamoError
from kuamo.media.audio import WRITABLE, Audio
from kuamo.media.files import write

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RECORDING_RATE_HZ = 16_000


def check_sound_file(path: Path | None) -> None:
    """Raise KuamoError unknown_ending or cannot_write where a sound cannot be written there; None is fine."""
    if path is not None and _container(path) not in WRITABLE:
        raise KuamoError("unknown_ending", name=path.name, possible=", ".join(f".{known}" for known in WRITABLE))
    check_writable(path)


def _container(path: Path) -> str:
    return path.suffix.lower().removeprefix(".")


def deliver(session: Session, audio: Audio, out: Path | None) -> None:
    """Write a sound to a file, or play it; note where it went, or that nothing can play it."""
    if out is not None:
        write(out, audio.encode(_container(out)))
        session.note(session.say("cli.wrote", name=out))
    elif not _play(audio):
        session.note(session.say("cli.not_played"))


def _play(audio: Audio) -> bool:
    try:
        import sounddevice
    except OSError:  # the PortAudio library is absent
        return False
    try:
        sounddevice.play(audio.samples, audio.sample_rate_hz)
        sounddevice.wait()
    except sounddevice.PortAudioError:
        return False
    return True


class Player:
    """Plays sounds one after the other while the program goes on; leaving it waits for the last, a fault stops it."""

    def __init__(self) -> None:
        self.found_nothing = False
        """Whether there was no device to play on."""
        self._stopped = threading.Event()
        self._line: SimpleQueue[Audio | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._play_all, name="player")

    def add(self, audio: Audio) -> None:
        """Play a sound after those before it."""
        self._line.put(audio)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, fault: type[BaseException] | None, *_: object) -> None:
        self._line.put(None)
        try:
            if fault is None:
                self._thread.join()
        finally:  # Ctrl-C may come while the last is heard
            self._stop()

    def _play_all(self) -> None:
        for audio in iter(self._line.get, None):
            if not self._stopped.is_set() and not self.found_nothing:
                self.found_nothing = not _play(audio)

    def _stop(self) -> None:
        self._stopped.set()
        while self._thread.is_alive():
            _hush()
            self._thread.join(0.1)


def _hush() -> None:
    with suppress(OSError):  # the PortAudio library is absent
        import sounddevice

        sounddevice.stop()


def has_microphone() -> bool:
    """Whether a sound can be recorded on this machine."""
    try:
        import sounddevice
    except OSError:
        return False
    try:
        sounddevice.query_devices(kind="input")
    except (sounddevice.PortAudioError, ValueError):
        return False
    return True


def spoken(session: Session) -> Iterator[Audio | str]:
    """Yield what is said on the terminal until Ctrl-D: recordings from one Enter to the next, or what was typed.

    Raises KuamoError no_microphone without device or terminal.
    """
    if not sys.stdin.isatty() or not has_microphone():
        raise KuamoError("no_microphone")
    with suppress(EOFError):
        while True:
            session.note(session.say("cli.record"))
            yield input().strip() or _record(session)


def _record(session: Session) -> Audio:
    import numpy as np
    import sounddevice

    blocks: list[NDArray[np.float32]] = []

    def keep(block: "NDArray[np.float32]", *_: Any) -> None:
        blocks.append(block[:, 0].copy())

    try:
        with sounddevice.InputStream(RECORDING_RATE_HZ, channels=1, dtype="float32", callback=keep):
            session.note(session.say("cli.recording"))
            input()
    except sounddevice.PortAudioError as error:
        raise KuamoError("no_microphone") from error
    return Audio(np.concatenate([*blocks, np.zeros(0, np.float32)]), RECORDING_RATE_HZ)
