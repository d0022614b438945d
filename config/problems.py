"""What can be wrong with a site file, and how it is told.

HotlineError
└── ConfigError
├── SiteProblems     the site file: every problem found, each with its place
└── SecretError      a secret is missing or lies open to others
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path

from hotline.core.errors import HotlineError

KeyPath = tuple[str | int, ...]
"""The way from the top of the file to a value: ``("lines", 2, "dids", 0)``."""


class Severity(StrEnum):
    """Whether the site can run like this."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong, in plain words.

    Attributes:
        line: counted from 1; 0 when the problem is with the file as a whole.
        key: where in the file, as a person would write it: ``lines[2].dids[0]``.
        hint: what to do about it; may be empty.
    """

    file: Path
    line: int
    key: str
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        key = f" {self.key}:" if self.key else ""
        hint = f" — {self.hint}" if self.hint else ""
        return f"{place}:{key} {self.message}{hint}"

    def as_row(self) -> dict[str, str | int]:
        """The problem as a row of a JSON table."""
        return asdict(self) | {"file": str(self.file), "severity": self.severity.value}


class ConfigError(HotlineError):
    """What the operator configured cannot be used."""


class SiteProblems(ConfigError):
    """The site file cannot be used. ``problems`` holds every error and warning found, in file order."""

    def __init__(self, file: Path, problems: Iterable[Problem]) -> None:
        self.file = file
        self.problems = tuple(problems)
        self.errors = tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)
        more = f" (and {len(self.errors) - 1} more: hotline check {file})" if len(self.errors) > 1 else ""
        super().__init__(f"{self.errors[0] if self.errors else file}{more}")


def dotted(path: KeyPath) -> str:
    """Return a key path as a person would write it: ``lines[2].dids[0]``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``did you mean "…"?`` for the known word closest to ``word``, or an empty string."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    close = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return f'did you mean "{by_folded[close[0]]}"?' if close else ""
