"""The options, each defined once."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from kuamo.cli.completion import complete_choice, complete_profile

OPTIONS: dict[str, Any] = {
    "profile": Annotated[
        str | None,
        typer.Option(
            autocompletion=complete_profile, help="The models to use: nano, small, standard, large or remote."
        ),
    ],
    "model": Annotated[
        list[str] | None,
        typer.Option(
            metavar="CAPABILITY=NAME",
            autocompletion=complete_choice,
            help="The model for one capability: a catalogue name, a folder, a hub id or URL#model. Repeatable.",
        ),
    ],
    "device": Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:1, mps …")],
    "precision": Annotated[str | None, typer.Option(help="auto, fp32, bf16, fp16, int8 or nf4.")],
    "lang": Annotated[str | None, typer.Option(help="The language Kuamo speaks to you: auto, en or zh.")],
    "json": Annotated[bool, typer.Option("--json", help="Print one JSON object with everything.")],
}
"""The options that every command has; None leaves the choice to the KUAMO_ variables and kuamo.toml."""

Language = Annotated[
    str | None, typer.Option(help="The language of the speech or its text: en, zh … Found out where not given.")
]
Voice = Annotated[str | None, typer.Option(help="One of the speaking model's voices.")]
Recording = Annotated[Path, typer.Argument(help="A recording, or a video with sound.")]
SoundFile = Annotated[
    Path | None, typer.Option("--out", "-o", help="Write to this .wav, .flac, .mp3, .ogg or .opus; else it is played.")
]
TextFile = Annotated[Path | None, typer.Option("--out", "-o", help="Write to this file instead of stdout.")]
Format = Annotated[
    Literal["text", "json", "srt", "vtt", "textgrid"],
    typer.Option("--format", "-f", help="Text with times, JSON, subtitles (SRT, WebVTT) or Praat's TextGrid."),
]
