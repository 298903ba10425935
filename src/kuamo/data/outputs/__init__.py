"""Forms in which a data set is written, one file a form: rows become parts as they come, the parts files at the end."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kuamo.data.outputs import conversations, folder, media_folder, webdataset
from kuamo.data.row import Row


@dataclass(frozen=True)
class Output:
    """A form: how its parts end, how one is written, and how all are finished; `refers` to media that lie outside."""

    ending: str
    write_part: Callable[[list[Row], Path, Path], None]
    finish: Callable[[dict[str, list[Path]], Path, dict[str, str]], list[Path]]
    refers: bool = True


OUTPUTS = {
    "datasets": Output(folder.ENDING, folder.write_part, folder.finish),
    "messages": Output(conversations.ENDING, conversations.write_messages, conversations.finish_messages),
    "llava": Output(conversations.ENDING, conversations.write_llava, conversations.finish_llava),
    "webdataset": Output(webdataset.ENDING, webdataset.write_part, webdataset.finish, refers=False),
    "folder": Output(media_folder.ENDING, media_folder.write_part, media_folder.finish),
}
"""The forms by their names."""
