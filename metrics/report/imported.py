"""Reading a data file: what our tables do not know, as YAML, CSV or a workbook. Strict, with places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from hotline.config.plain_words import schema_problems
from hotline.config.problems import ConfigError, KeyPath, Problem, dotted
from hotline.config.yaml_text import Document, read_document
from hotline.core.errors import UsageError
from hotline.metrics.report.csv_tables import read_csv
from hotline.metrics.report.data import (
    Counted,
    FileSection,
    ReportData,
    Score,
    Sections,
    Source,
    Unit,
)
from hotline.metrics.report.periods import named
from hotline.metrics.report.sheets import read_workbook

SAMPLE: Final = "config/samples/report-month.yaml"


def read_data(file: Path) -> FileSection:
    """The figures of a data file of one period.

    Raises:
        UsageError, ConfigError: as `read_periods`; it is of several periods.
    """
    found, *others = read_periods(file)
    if others:
        hint = "hotline figures import takes them all over, and reports then know them"
        raise UsageError(f"{file} is of {len(others) + 1} periods, a report of one", hint=hint)
    return found


def read_periods(file: Path) -> list[FileSection]:
    """The figures of a data file, which a CSV file may hold of several periods.

    Raises:
        UsageError: it is none, by its name.
        ConfigError: it cannot be read or used; the text names the first place that is wrong.
    """
    match file.suffix.lower():
        case ".yaml" | ".yml":
            return [_validated(read_document(file, like=SAMPLE), None)]
        case ".xlsx":
            return [_validated(*read_workbook(file))]
        case ".csv":
            return [_validated(*one) for one in read_csv(file)]
        case _:
            hint = f"start from a copy of {SAMPLE}"
            raise UsageError(f"{file}: a data file is .yaml, .xlsx or .csv", hint=hint)


def _validated(document: Document, places: list[str] | None) -> FileSection:
    """A document as figures; ``places``: what its "lines" count, of tables."""
    file, problems = document.file, list(document.problems)
    if not isinstance(document.data, dict):
        problems.append(Problem(file, 1, "", "a data file is made of sections", f"see {SAMPLE}"))
        raise _error(problems, places)
    try:
        found = FileSection.model_validate(document.data)
    except ValidationError as error:
        raise _error([*problems, *schema_problems(document, error, FileSection)], places) from None
    problems += _named_once(document, found)
    if problems:
        raise _error(problems, places)
    return found


def alone(found: FileSection) -> ReportData:
    """A data file as a report of nothing else, to have its arithmetic checked.

    Raises:
        UsageError: its period is none.
    """
    given = {name: value for name in Sections.model_fields if (value := getattr(found, name))}
    return ReportData.model_validate(
        given | {"site": "", "period": named(found.period), "sources": dict.fromkeys(given, Source.IMPORTED)}
    )


def _named_once(document: Document, found: FileSection) -> list[Problem]:
    """A name that stands twice in one list: one of the rows would be lost in a comparison."""
    lists: dict[KeyPath, Sequence[Counted | Unit | Score]] = {
        ("channels", "rows"): found.channels.rows if found.channels else (),
        ("types", "rows"): found.types.rows if found.types else (),
        ("topics", "rows"): found.topics.rows if found.topics else (),
        ("units", "rows"): found.units.rows if found.units else (),
        ("seats",): found.seats,
        ("scores",): found.scores,
    }
    problems = []
    for path, rows in lists.items():
        seen: set[str] = set()
        for at, row in enumerate(rows):
            place: KeyPath = (*path, at, "name")
            if row.name in seen:
                message = f'"{row.name}" is given twice'
                problems.append(
                    Problem(
                        document.file, document.line_of(place), dotted(place), message, "keep one of them"
                    )
                )
            seen.add(row.name)
    return problems


def _error(problems: list[Problem], places: list[str] | None) -> ConfigError:
    """One line: the first problem, and how many more there are."""
    first = min(problems, key=lambda problem: problem.line)
    if places is not None:  # a table: its "lines" count the places of its cells
        hint = first.hint or ("write it in digits, as 1234" if "number" in first.message else "")
        place = Path(f"{first.file}: {places[first.line - 1]}")
        first = replace(first, file=place, line=0, key="", hint=hint)
    more = f" (and {len(problems) - 1} more in this file)" if len(problems) > 1 else ""
    return ConfigError(f"{first}{more}")
