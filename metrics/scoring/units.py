"""The file of units to score, read strictly: nothing that is missing or senseless ever counts as 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

from hotline.config.problems import KeyPath, Problem, SiteProblems, did_you_mean, dotted
from hotline.config.scoring import Group, Part, PartKind, Scheme
from hotline.config.strict_file import read_section
from hotline.config.yaml_text import Data, Document, read_document
from hotline.metrics.scoring.score import Unit

LIKE = "config/samples/score.yaml"
TEST_CALLS = "test_calls"
"""The group of a scheme that marks of test calls belong to."""
Heard = Mapping[str, Mapping[str, Sequence[float]]]
"""Unit -> part -> the points of each test call."""


def read_units(
    file: Path, schemes: Mapping[str, Scheme], heard: Heard | None = None
) -> tuple[Scheme, list[Unit]]:
    """Return the scheme that a file names or holds, and its units.

    Args:
        file: of units and their figures.
        schemes: those known by name.
        heard: the listeners' marks of test calls, for units of which the file gives none.

    Raises:
        SiteProblems: with every problem of the file.
    """
    document = read_document(file, like=LIKE)
    reader = _Reader(document, heard or {})
    data = reader.section((), document.data, ("scheme", "units"))
    reader.stop_at_problems()
    scheme = _scheme(reader, data["scheme"], schemes)
    units = reader.units(data["units"], scheme)
    reader.stop_at_problems()
    return scheme, units


def _scheme(reader: _Reader, given: Data, schemes: Mapping[str, Scheme]) -> Scheme:
    if isinstance(given, dict):
        return read_section(reader.document, ("scheme",), Scheme)
    if not isinstance(given, str) or given not in schemes:
        known = f"known here: {', '.join(schemes)}; a site's own need --site FILE"
        shown = given if isinstance(given, str) else "this"
        reader.problem(("scheme",), f'"{shown}" is no scheme', did_you_mean(str(given), schemes) or known)
        reader.stop_at_problems()
    return schemes[str(given)]


class _Reader:
    """Walks the file by the scheme and notes every problem with its line and unit."""

    def __init__(self, document: Document, heard: Heard) -> None:
        self.document = document
        self._heard = heard
        self._problems = list(document.problems)
        self._unit = ""  # whose figures are being read

    def stop_at_problems(self) -> None:
        if self._problems:
            raise SiteProblems(self.document.file, sorted(self._problems, key=lambda one: one.line))

    def problem(self, path: KeyPath, message: str, hint: str) -> None:
        whose = f"{self._unit}: " if self._unit else ""
        line = self.document.line_of(path)
        self._problems.append(Problem(self.document.file, line, dotted(path), whose + message, hint))

    def section(self, path: KeyPath, data: Data, keys: tuple[str, ...], hint: str = "") -> dict[str, Data]:
        """The section's values if it has these keys and no others; what it lacks is noted and left out."""
        if not isinstance(data, dict):
            self.problem(path, f"keys are wanted here: {', '.join(keys)}", f"write them as in {LIKE}")
            return {}
        for key in data.keys() - set(keys):
            known = did_you_mean(key, keys) or f"known here: {', '.join(keys)}"
            self.problem((*path, key), f'unknown key "{key}"', known)
        for key in keys:
            if key not in data:
                self.problem(path, f'"{key}" is missing', hint or f"write it as in {LIKE}")
        return {key: data[key] for key in keys if key in data}

    def units(self, data: Data, scheme: Scheme) -> list[Unit]:
        if not isinstance(data, list) or not data:
            self.problem(("units",), "there are no units", f"write them as a list, as in {LIKE}")
            return []
        units: list[Unit] = []
        first: dict[str, int] = {}
        for number, entry in enumerate(data):
            path: KeyPath = ("units", number)
            name = entry.get("name") if isinstance(entry, dict) else None
            self._unit = name.strip() if isinstance(name, str) else ""
            entry = self._with_heard(entry, scheme)
            values = self.section(path, entry, ("name", *(group.name for group in scheme.groups)))
            if "name" in values and not self._unit:
                self.problem((*path, "name"), "a unit without a name", "give its name")
            if self._unit in first:
                self.problem(
                    (*path, "name"), f"is given twice (first on line {first[self._unit]})", "keep one"
                )
            if self._unit:
                first[self._unit] = self.document.line_of((*path, "name"))
            marks = {
                group.name: self._group((*path, group.name), values[group.name], group)
                for group in scheme.groups
                if group.name in values
            }
            units.append(Unit(self._unit, marks))
        self._unit = ""
        return units

    def _with_heard(self, entry: Data, scheme: Scheme) -> Data:
        """The unit with the marks that were heard, where the file gives no test calls of it."""
        marks = self._heard.get(self._unit)
        wanted = any(group.name == TEST_CALLS for group in scheme.groups)
        if not isinstance(entry, dict) or TEST_CALLS in entry or not marks or not wanted:
            return entry
        return {**entry, TEST_CALLS: {part: [str(one) for one in points] for part, points in marks.items()}}

    def _group(self, path: KeyPath, data: Data, group: Group) -> dict[str, tuple[Decimal, ...]]:
        parts = {part.name: part for part in group.parts}
        hint = "give it: what is missing is never scored as 0"
        values = self.section(path, data, tuple(parts), hint)
        figures = {name: self._figures((*path, name), value, parts[name]) for name, value in values.items()}
        rates = [figures[name][0] for name in figures if parts[name].kind is not PartKind.POINTS]
        if len(rates) > 1 and 0 < max(rates) <= 1:
            self.problem(path, "these rates look like fractions of 1", "write percents: 99.60, not 0.9960")
        return figures

    def _figures(self, path: KeyPath, data: Data, part: Part) -> tuple[Decimal, ...]:
        if isinstance(data, list) and part.kind is PartKind.POINTS:
            if not data:
                self.problem(path, "there is no test call", "list the points of each call, or their mean")
            return tuple(self._figure((*path, place), one, part) for place, one in enumerate(data))
        return (self._figure(path, data, part),)

    def _figure(self, path: KeyPath, data: Data, part: Part) -> Decimal:
        """A number in its range, or 0 and a problem that keeps the file from being scored."""
        points = part.kind is PartKind.POINTS
        most = part.most if points else Decimal(100)
        remedy = f"give points from 0 to {most:f}" if points else "give a percent from 0 to 100, as 99.60"
        text = data.strip().removesuffix("" if points else "%") if isinstance(data, str) else None
        try:
            number = Decimal(text) if text is not None and text.isascii() else None
        except InvalidOperation:
            number = None
        if number is None or not number.is_finite():
            shown = {type(None): "nothing", dict: "a section", list: "a list"}.get(type(data), f'"{data}"')
            self.problem(path, f"{part.title}: {shown} is not a number", remedy)
        elif not 0 <= number <= most:
            self.problem(path, f"{part.title}: {number} is out of range", remedy)
        else:
            return number
        return Decimal(0)
