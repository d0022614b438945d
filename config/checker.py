"""A site file as written, and the notes taken while checking it.

The checks read the plain data of the file, not the validated ``Site``: so they say all they can about a file
whose sections hold other mistakes, and every problem is told at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hotline.config.problems import KeyPath, Problem, Severity, did_you_mean, dotted
from hotline.config.yaml_text import Data, Document


@dataclass(frozen=True, slots=True)
class Item:
    """A section of the file as written: whatever is not of the expected shape reads as absent."""

    path: KeyPath
    data: dict[str, Data]

    def text(self, key: str) -> str | None:
        """The text under ``key``."""
        value = self.data.get(key)
        return value if isinstance(value, str) and value else None

    def texts(self, key: str) -> Iterator[tuple[KeyPath, str]]:
        """The texts of the list under ``key``, each with its place."""
        values = self.data.get(key)
        for index, value in enumerate(values if isinstance(values, list) else []):
            if isinstance(value, str):
                yield (*self.path, key, index), value

    def items(self, key: str) -> list[Item]:
        """The sections of the list under ``key``."""
        values = self.data.get(key)
        return [
            Item((*self.path, key, index), value)
            for index, value in enumerate(values if isinstance(values, list) else [])
            if isinstance(value, dict)
        ]

    def section(self, key: str) -> Item:
        """The section under ``key``; an empty one when there is none."""
        value = self.data.get(key)
        return Item((*self.path, key), value if isinstance(value, dict) else {})

    def yes(self, key: str) -> bool:
        """Whether ``key`` is switched on."""
        return (self.text(key) or "").casefold() in ("true", "yes", "on", "1", "y", "t")

    def number(self, key: str, default: int) -> int:
        """The whole number under ``key``."""
        value = self.text(key)
        return int(value) if value is not None and value.isascii() and value.isdigit() else default


class Checker:
    """The problems found in one document, and how to report more."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.folder = document.file.parent
        self.site = Item((), document.data if isinstance(document.data, dict) else {})
        self.lines = self.site.items("lines")
        self.queues = self.site.items("queues")
        self.agents = self.site.items("agents")
        self.menus = self.site.items("menus")
        self.prompts = self.site.items("prompts")
        self.problems: list[Problem] = []

    def error(self, path: KeyPath, message: str, hint: str = "") -> None:
        """Note what keeps the site from running."""
        self._note(path, message, hint, Severity.ERROR)

    def warn(self, path: KeyPath, message: str, hint: str = "") -> None:
        """Note what the site can run with, but hardly means."""
        self._note(path, message, hint, Severity.WARNING)

    def _note(self, path: KeyPath, message: str, hint: str, severity: Severity) -> None:
        line = self._document.line_of(path)
        self.problems.append(Problem(self._document.file, line, dotted(path), message, hint, severity))

    def line_of(self, path: KeyPath) -> int:
        """Return the line of ``path``."""
        return self._document.line_of(path)

    def given_once(
        self, what: str, places: Iterable[tuple[KeyPath, str | None]], hint: str = "rename one"
    ) -> None:
        """Note an error at every place whose name an earlier place has."""
        first: dict[str, int] = {}
        for path, name in places:
            if name is None:
                continue
            if name in first:
                message = f'{what} "{name}" is given twice (first on line {first[name]})'
                self.error(path, message, hint)
            else:
                first[name] = self.line_of(path)

    def refer(self, item: Item, key: str, known: Iterable[str], what: str) -> None:
        """Note an error if ``key`` names something that is not among ``known``."""
        name = item.text(key)
        self.refer_name((*item.path, key), name, known, what)

    def refer_name(self, path: KeyPath, name: str | None, known: Iterable[str], what: str) -> None:
        """Note an error if ``name`` is not among ``known``."""
        names = list(known)
        if name is not None and name not in names:
            self.error(
                path, f'there is no {what} "{name}"', did_you_mean(name, names) or f"add it to {what}s"
            )


def names(items: Iterable[Item], key: str = "name") -> list[str]:
    """Return the names of sections, in file order."""
    return [name for item in items if (name := item.text(key)) is not None]
