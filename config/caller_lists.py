"""Lists of callers who are known by their number (名单): deputies, enterprises, people to follow up.

A list's numbers stand in the site file, in a file of their own (one a line, ``#`` begins a remark), or both;
a number that ends in ``*`` is the beginning of numbers. A number may be on several lists. What is wrong with
a line of such a file costs this line: the file may be written by another system every night, and a server
that did not start for it would cost callers more than a name that is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from hotline.config.checker import Checker
from hotline.config.problems import Problem, Severity
from hotline.config.section import Section, Text

MAX_LISTS: Final = 10
MAX_FILE_BYTES: Final = 8_000_000  # half a million numbers
MAX_PROBLEMS: Final = 20  # told of one file
SHORTEST: Final = 3  # digits: a shorter beginning would be nearly everybody's

_NUMBER: Final = r"^\+?[0-9][0-9 -]{1,28}[0-9]\*?$"
_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}")


class CallerList(Section):
    """A list: its name in rows and programs, its title on pages, its numbers."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]  # SQLite's LIKE sees no capitals
    title: Text
    numbers: Annotated[
        tuple[Annotated[str, Field(pattern=_NUMBER)], ...], Field(max_length=1000)
    ] = ()  # 13800000000, 0757-88880000, 8888* (all that begin so)
    file: Path | None = None  # more of them, one a line

    @model_validator(mode="after")
    def _has_numbers(self) -> Self:
        if not self.numbers and self.file is None:
            raise ValueError("a list without numbers; give numbers: [...] or file: ...")
        return self


def plain_number(text: str) -> str:
    """A number's digits, without what trunks write before them: +86, 0086, a mobile's 0."""
    digits = "".join(one for one in text if one.isascii() and one.isdigit())
    if text.strip().startswith("+86"):
        digits = digits[2:]
    elif digits.startswith("0086"):
        digits = digits[4:]
    return digits[1:] if digits.startswith("0") and _MOBILE.match(digits[1:]) else digits


@dataclass(frozen=True, slots=True)
class CallerLists:
    """Which lists a number is on.

    Attributes:
        names: of the lists, in the site file's order.
        exact: lists by number; ``begun``: by the beginning of numbers.
    """

    names: tuple[str, ...] = ()
    exact: Mapping[str, frozenset[str]] = field(default_factory=dict)
    begun: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of_site(cls, lists: Iterable[CallerList]) -> CallerLists:
        """With the numbers of the files; one that cannot be read adds none (``hotline check`` says so)."""
        exact: dict[str, frozenset[str]] = {}
        begun: dict[str, frozenset[str]] = {}
        names = []
        for one in lists:
            names.append(one.name)
            for number in (*one.numbers, *(read_numbers(one.file)[0] if one.file else ())):
                known = begun if number.endswith("*") else exact
                plain = plain_number(number)
                known[plain] = known.get(plain, frozenset()) | {one.name}
        return cls(tuple(names), exact, begun)

    def of(self, number: str) -> tuple[str, ...]:
        """The lists that a caller's number is on, in the site file's order; none for a hidden one."""
        plain = plain_number(number)
        found = set(self.exact.get(plain, ()))
        for size in range(SHORTEST, len(plain) + 1):
            found |= self.begun.get(plain[:size], frozenset())
        return tuple(name for name in self.names if name in found)


def read_numbers(file: Path) -> tuple[list[str], list[tuple[int, str]]]:
    """The numbers of a file, and what is wrong with it, by line (0: all of it)."""
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        return [], [(0, f"cannot be read: {error.strerror}")]
    if len(data) > MAX_FILE_BYTES:
        return [], [(0, f"larger than {MAX_FILE_BYTES} bytes, and left out")]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("gb18030", "replace")  # as Excel saves it in China
    numbers, problems = [], []
    for line, written in enumerate(text.splitlines(), 1):
        number = written.partition("#")[0].strip()
        if not number:
            continue
        if re.match(_NUMBER, number) and len(plain_number(number)) >= SHORTEST:
            numbers.append(number)
        else:
            problems.append((line, "this is no number, and left out"))
    return numbers, problems


def check_caller_lists(checker: Checker) -> None:
    """Names are given once; files can be read, line by line."""
    lists = checker.site.items("caller_lists")
    checker.given_once("caller list", [((*item.path, "name"), item.text("name")) for item in lists])
    for item in lists:
        name = item.text("file")
        if name is None:
            continue
        file = checker.folder / Path(name).expanduser()
        numbers, problems = read_numbers(file)
        for line, message in problems[:MAX_PROBLEMS]:
            hint = "one number a line: 13800000000, 0757-88880000, or 8888* for all that begin so"
            if line == 0:
                checker.warn((*item.path, "file"), f"{name} {message}", "the list has no number of it")
            else:
                checker.problems.append(Problem(file, line, "", message, hint, Severity.WARNING))
        if len(problems) > MAX_PROBLEMS:
            checker.warn((*item.path, "file"), f"{name}: {len(problems)} lines are no numbers")
        if not numbers and not problems:
            checker.warn((*item.path, "file"), f"{name} has no number")
