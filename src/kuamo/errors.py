"""The one error users see: a code, a sentence in their language, what to do next, an HTTP status."""

from collections.abc import Callable
from functools import partial
from typing import Self

from kuamo.messages import Language, say, table


class KuamoError(Exception):
    """A fault that the user can mend. `code` names a row of messages.toml under [error]; `values` fill its sentences.

    Raises KeyError for a code without a row, so that a missing sentence is found by the first test that meets it.
    """

    def __init__(self, code: str, /, **values: object) -> None:
        self.code = code
        self.values = values
        self.status: int = table()[f"error.{code}"]["status"]
        super().__init__(self.line("en"))

    def __reduce__(self) -> tuple[Callable[[], Self], tuple[()]]:
        """Return what makes the error again in another process."""
        return partial(type(self), self.code, **self.values), ()

    def message(self, language: Language) -> str:
        """Return what was wrong, in one sentence."""
        return say(f"error.{self.code}", language, **self.values)

    def hint(self, language: Language) -> str:
        """Return what to do next; empty where nothing can be advised."""
        return say(f"error.{self.code}", language, "hint_", **self.values)

    def line(self, language: Language) -> str:
        """Return sentence and hint as the one line that the command line and the page print."""
        between = "" if language == "zh" else " "
        return between.join(filter(None, (self.message(language), self.hint(language))))
