"""Write reference.md from the command line, the settings and the catalogue.

python docs/reference.py            write it
python docs/reference.py --check    exit 1 if it is not what would be written
"""

import os
import subprocess
import sys
from pathlib import Path

from kuamo.catalogue import Catalogue
from kuamo.settings import Settings

FILE = Path(__file__).with_name("reference.md")
DISK = {"package": "in the box", "weights": "in the box"}


def row(*cells: object) -> str:
    """Return a row of a Markdown table."""
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def models() -> str:
    """Return the catalogue as a table."""
    lines = [row("model", "does", "profiles", "source", "languages", "parameters", "licence"), row(*["---"] * 7)]
    for model in Catalogue.load().models:
        source = DISK.get(model.source.partition(":")[0], f"`{model.source}`")
        size = f"{model.parameters / 1e9:.3g} B" if model.parameters > 1e9 else f"{model.parameters / 1e6:.3g} M"
        lines.append(
            row(
                f"`{model.name}`", ", ".join(model.capabilities), ", ".join(model.profiles), source,
                ", ".join(model.languages).replace("*", "many"), size if model.parameters else "", model.licence,
            )
        )  # fmt: skip
    return "\n".join(lines)


def settings() -> str:
    """Return the settings as a table."""
    lines = [row("kuamo.toml", "variable", "default", "meaning"), row(*["---"] * 4)]
    for name, field in Settings.model_fields.items():
        default = "the system's place for data" if field.default_factory else f"`{field.default}`"
        lines.append(row(f"`{name}`", f"`KUAMO_{name.upper()}`", default, field.description))
    return "\n".join(lines)


def commands() -> str:
    """Return the command line as Typer documents it."""
    arguments = [sys.executable, "-m", "typer", "kuamo.cli.app", "utils", "docs", "--name", "kuamo"]
    environment = os.environ | {"COLUMNS": "120", "TERM": "dumb"}
    text = subprocess.run(arguments, capture_output=True, text=True, check=True, env=environment).stdout
    return text.replace("\n## ", "\n### ").replace("# `kuamo`\n", "", 1).strip()


def reference() -> str:
    """Return the whole page."""
    return (
        "# Reference\n\nWritten by `make docs` from the code; a test holds it to that.\n\n"
        f"## Models\n\n{models()}\n\n"
        "## Settings\n\nFlags win over variables, these over `kuamo.toml` (in the working folder, or where "
        f"`KUAMO_CONFIG` says), that over the defaults. Nested values: `KUAMO_LIMITS__SECONDS`.\n\n{settings()}\n\n"
        f"## Commands\n\n{commands()}\n"
    )


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(0 if FILE.read_text(encoding="utf-8") == reference() else f"{FILE.name} is old: run `make docs`")
    FILE.write_text(reference(), encoding="utf-8")
