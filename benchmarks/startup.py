"""How long the command line takes to start, beside a bare Python: the median and the worst of ten runs each."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

RUNS = 10
KUAMO = str(Path(sys.executable).with_name("kuamo"))
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "python -c 'import typer'": [sys.executable, "-c", "import typer"],
    "python -c 'import kuamo'": [sys.executable, "-c", "import kuamo"],
    "kuamo --version": [KUAMO, "--version"],
    "kuamo --help": [KUAMO, "--help"],
    "kuamo ask --help": [KUAMO, "ask", "--help"],
    "kuamo models": [KUAMO, "models"],
}


def seconds(command: list[str]) -> float:
    """Return the wall-clock seconds that a command takes."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    """Print the table; a first run of each command, which fills the disk cache, is not counted."""
    print(f"| command | median of {RUNS} | worst |\n|---|---|---|")
    for name, command in COMMANDS.items():
        seconds(command)
        runs = [seconds(command) for _ in range(RUNS)]
        print(f"| `{name}` | {statistics.median(runs):.3f} s | {max(runs):.3f} s |")


if __name__ == "__main__":
    main()
