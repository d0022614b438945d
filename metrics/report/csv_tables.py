"""A CSV file as the data that a YAML data file holds: one table, of one period or of many.

The first row holds the headings, each row its 期间; what the rows are about one heading says (``KINDS``), the
others are those of the workbook's sheet. A file is taken as a whole or not at all.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from hotline.config.problems import ConfigError, did_you_mean
from hotline.config.yaml_text import MAX_BYTES, Document
from hotline.core.errors import UsageError
from hotline.metrics.report.periods import named
from hotline.metrics.report.sheets import ACCEPTED, COUNTED, KNOWLEDGE, SHEETS, Sheet, TableReader

PERIOD: Final = "期间"
_EXAMPLES: Final = "2026-10, 2026-W41 or 2026-10-05"
_DAY: Final = re.compile(r"(\d{4})[-/年](\d{1,2})(?:[-/月](\d{1,2})日?|月)?")
_COMMAS: Final = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
Line = tuple[int, list[str]]
"""The number of a line, and its cells."""


def _counted(sheet: str, head: str) -> Sheet:
    """A list of parts, whose names stand under ``head``."""
    columns = {head: "name"} | {title: key for title, key in COUNTED.items() if key != "name"}
    return replace(SHEETS[sheet], columns=columns)


KINDS: Final = {
    "承办单位": SHEETS["承办单位"],
    "渠道": _counted("渠道", "渠道"),
    "类型": _counted("类型", "类型"),
    "热点": _counted("热点", "热点"),
    "席位": _counted("特服席", "席位"),
    "专线": SHEETS["专线"],
    "拨测对象": SHEETS["拨测"],
    "受理量": Sheet(("accepted",), items=ACCEPTED),
    "查询": Sheet(("knowledge",), items=KNOWLEDGE),
}
"""What a table is about, by the heading that tells it."""

NEEDED: Final = {
    "承办单位": ("有效工单",),
    "专线": ("接听量",),
    "拨测对象": ("拨测次数", "接通"),
    "受理量": (),
    "查询": ("答复",),
}
"""Columns that a kind cannot be without, beside the one that tells it; of all others 数量."""


def read_csv(file: Path) -> list[tuple[Document, list[str]]]:
    """The periods of a file in their order, each as `sheets.read_workbook` gives a workbook.

    Raises:
        ConfigError: it cannot be read, or has a heading, a row or a period that makes no sense; the text
            names line and column.
    """
    lines = list(_lines(file))
    if len(lines) < 2:
        raise ConfigError(f"{file}: there is nothing in it", hint=f"headings first, {PERIOD} among them")
    top, heads = lines[0]
    kind, needed = _kind(file, lines[0])
    by_period: dict[str, list[Line]] = {}
    for number, cells in lines[1:]:
        if len(cells) != len(heads):
            raise ConfigError(
                f"{file}: line {number}: {len(cells)} cells under {len(heads)} headings",
                hint='put a cell that holds a comma in quotes: "1,234"',
            )
        row = dict(zip(heads, cells, strict=True))
        period = _period(file, number, row[PERIOD])
        if empty := [name for name in needed if not row[name]]:
            hint = "write 0 where there was nothing, and leave no row without its name"
            raise ConfigError(f"{file}: line {number}, column {empty[0]}: it is empty", hint=hint)
        plain = [_plain(head, cell) for head, cell in zip(heads, cells, strict=True)]
        by_period.setdefault(period, []).append((number, plain))
    return [_document(file, period, kind, (top, heads), rows) for period, rows in by_period.items()]


def _document(
    file: Path, period: str, kind: Sheet, top: Line, rows: list[Line]
) -> tuple[Document, list[str]]:
    """The rows of one period, without the column that says which."""
    at = top[1].index(PERIOD)
    heads, *cells = [
        (number, [cell or None for cell in (*cells[:at], *cells[at + 1 :])]) for number, cells in (top, *rows)
    ]

    def place(column: int, number: int) -> str:
        return f"line {number}, column {heads[1][column]}"

    reader = TableReader(file, f"line {rows[0][0]}")
    if kind.items is None:
        reader.read(kind, [heads, *cells], place)
    elif len(cells) > 1:
        raise ConfigError(f"{file}: line {cells[1][0]}: {period} is given twice", hint="keep one of the rows")
    else:
        number, values = cells[0]
        named = zip(heads[1], values, strict=True)
        pairs = [(column, [head, value]) for column, (head, value) in enumerate(named)]
        reader.read(kind, pairs, lambda value, column: place(column, number if value else top[0]))
    reader.put(("period",), period, f"line {rows[0][0]}, column {PERIOD}")
    return reader.document, reader.places


def _lines(file: Path) -> Iterator[Line]:
    """The lines that hold anything, with their numbers."""
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{file} is larger than {MAX_BYTES} bytes", hint="import it in parts")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("gb18030")  # as Excel saves it in China
        except UnicodeDecodeError:
            raise ConfigError(
                f"{file}: this is no text", hint="save it as CSV, in UTF-8 or GB18030"
            ) from None
    rows = csv.reader(text.splitlines(keepends=True), strict=True)
    while True:
        number = rows.line_num + 1
        try:
            cells = [cell.strip() for cell in next(rows)]
        except StopIteration:
            return
        except csv.Error as error:
            raise ConfigError(f"{file}: line {number}: {error}", hint="see to the quotes in it") from None
        if any(cells):
            yield number, cells


def _kind(file: Path, top: Line) -> tuple[Sheet, tuple[str, ...]]:
    """What the rows are about, and the columns without which they say nothing of it."""
    number, heads = top
    here = f"headings here: {'、'.join(heads)}"
    if PERIOD not in heads:
        hint = f"say in each row of which period it is, as {_EXAMPLES}; {here}"
        raise ConfigError(f"{file}: line {number}: there is no column {PERIOD}", hint=hint)
    if "" in heads:
        hint = "name it, or take it away"
        raise ConfigError(f"{file}: line {number}: column {heads.index('') + 1} has no heading", hint=hint)
    kinds = [head for head in KINDS if head in heads]
    if len(kinds) != 1:
        said = f"both {kinds[0]} and {kinds[1]} say" if kinds else "no column says"
        close = [found for head in heads if not kinds and (found := did_you_mean(head, KINDS))]
        hint = close[0] if close else f"have exactly one of {'、'.join(KINDS)}"
        raise ConfigError(f"{file}: line {number}: {said} what the rows are about", hint=hint)
    needed = (kinds[0], *NEEDED.get(kinds[0], ("数量",)))
    if missing := [name for name in needed if name not in heads]:
        raise ConfigError(f"{file}: line {number}: there is no column {missing[0]}", hint=f"add it; {here}")
    return KINDS[kinds[0]], needed


def _period(file: Path, number: int, written: str) -> str:
    """The name of a period, also as Excel rewrites it: 2026/10/5, 2026年10月."""
    match = _DAY.fullmatch(written)
    name = (
        "-".join([match[1], *(f"{int(part):02}" for part in match.groups()[1:] if part)])
        if match
        else written
    )
    try:
        return named(name).name
    except UsageError:
        said = f"not a period: {written}" if written else "nothing is given here"
        raise ConfigError(
            f"{file}: line {number}, column {PERIOD}: {said}", hint=f"write it like {_EXAMPLES}"
        ) from None


def _plain(head: str, cell: str) -> str:
    """A number as tables write it: 1,234, and in a column of percents 99.71%."""
    number = cell.removesuffix("%") if head.endswith(("率", "比")) else cell
    return number.replace(",", "") if _COMMAS.fullmatch(number) else number
