"""The program starts light, helps, and completes."""

import subprocess
import sys

import pytest

from kuamo import __version__
from kuamo.catalogue import Catalogue
from kuamo.cli.options import OPTIONS

HEAVY = {"torch", "transformers", "diffusers", "gradio", "fastapi", "onnxruntime", "numpy", "av", "openai", "pydantic"}
COMMANDS = ("ask", "talk", "transcribe", "speak", "align", "serve", "models", "doctor")


def loaded_by(code: str) -> set[str]:
    """Return the top-level modules that a fresh Python has after running code."""
    script = f"import sys\ntry:\n    {code}\nexcept SystemExit: pass\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stderr.split()}


@pytest.mark.parametrize("code", ["import kuamo", "from kuamo.cli import main; sys.argv = ['kuamo', '--help']; main()"])
def test_starting_loads_no_heavy_library(code: str) -> None:
    loaded = loaded_by(code)
    assert "kuamo" in loaded
    assert not loaded & HEAVY


def test_help_names_every_command(kuamo) -> None:
    shown = kuamo("-h")
    assert shown.exit_code == 0
    assert all(f"\n  {command} " in shown.stdout for command in COMMANDS)
    assert "..." not in shown.stdout.removeprefix("Usage: kuamo [OPTIONS] COMMAND [ARGS]...")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_helps_and_shares_the_options(command: str, kuamo) -> None:
    shown = kuamo(command, "--help")
    assert shown.exit_code == 0
    assert all(f"--{option}" in shown.stdout for option in OPTIONS)


def test_the_version_is_told(program) -> None:
    done = program("--version")
    assert (done.returncode, done.stdout) == (0, f"kuamo {__version__}\n")


def test_wrong_usage_is_exit_2(kuamo) -> None:
    for line in ("fly", "ask", "speak hi --speed fast", "models fly", "transcribe a --format doc", "speak hi --fly"):
        assert kuamo(*line.split()).exit_code == 2, line


def test_the_shell_completes_from_the_catalogue(program) -> None:
    def complete(*words: str) -> set[str]:
        line = {"COMP_WORDS": "\n".join(["kuamo", *words]), "COMP_CWORD": str(len(words))}
        return set(program(_KUAMO_COMPLETE="complete_bash", **line).stdout.split())

    speaking = {f"speak={model.name}" for model in Catalogue.load().serving("speak")}
    assert complete("speak", "hi", "--model", "sp") == {"speak="}
    assert complete("speak", "hi", "--model", "speak=") == speaking
    assert complete("ask", "--profile", "s") == {"small", "standard"}
    assert complete("models", "show", "espe") == {"espeak"}


def test_the_program_offers_a_completion_script(program) -> None:
    done = program("--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert done.returncode == 0
    assert "_KUAMO_COMPLETE=complete_bash" in done.stdout
