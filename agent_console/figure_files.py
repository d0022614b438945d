"""Figures as a table to be kept: CSV that Excel reads (UTF-8 with its mark), and XLSX. Pure.

A row is one figure: of the whole period first, then of its parts; of everything together first, then of each
group. Numbers are numbers (times in seconds), what it takes to check a figure stands beside it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from hotline.core.errors import SetupError
from hotline.core.figures import Comparison, FigureAnswer, Grain, MeasureInfo, MeasureUnit, Series

Cell = str | int | Decimal | datetime | None

FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins so would be reckoned by a spreadsheet (OWASP: CSV injection)."""

_ZH: Final[dict[object, str]] = {
    "part": "粒度", "whole": "全期", "start": "开始", "end": "结束", "group": "分组", "total": "合计",
    Comparison.BEFORE: "上期", Comparison.YEAR_BEFORE: "上年同期",
    (Comparison.BEFORE, "change"): "环比", (Comparison.YEAR_BEFORE, "change"): "同比",
    Grain.QUARTER_HOUR: "一刻钟", Grain.HOUR: "小时", Grain.DAY: "日", Grain.WEEK: "周",
    Grain.MONTH: "月", Grain.QUARTER: "季", Grain.YEAR: "年",
    "formula": "公式", "norm": "达标要求", "remark": "说明", "seconds": "秒", "points": "百分点",
    "numerator": "分子", "denominator": "分母", "about": "说明",
}  # fmt: skip
_EN: Final[dict[object, str]] = {
    "part": "part", "whole": "whole", "start": "from", "end": "to", "group": "group", "total": "total",
    Comparison.BEFORE: "before", Comparison.YEAR_BEFORE: "year before",
    (Comparison.BEFORE, "change"): "vs. before", (Comparison.YEAR_BEFORE, "change"): "vs. year before",
    **{grain: grain.value.replace("_", " ") for grain in Grain},
    "formula": "formula", "norm": "norm", "remark": "remark", "seconds": "s", "points": "points",
    "numerator": "numerator", "denominator": "denominator", "about": "about",
}  # fmt: skip


class TableKind(StrEnum):
    """A kind of file."""

    CSV = "csv"
    XLSX = "xlsx"

    @property
    def media_type(self) -> str:
        """As HTTP names it."""
        if self is TableKind.CSV:
            return "text/csv; charset=utf-8"
        return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class FigureTable:
    """What goes into a file.

    Attributes:
        whole: the answer for the period as one.
        parts: the same, cut; None: not cut.
        zone: of the times.
        english: otherwise Chinese.
    """

    whole: FigureAnswer
    parts: FigureAnswer | None
    zone: ZoneInfo
    english: bool

    def word(self, key: object) -> str:
        """A heading."""
        return (_EN if self.english else _ZH)[key]


def file_name(table: FigureTable, kind: TableKind) -> str:
    """``接通率-20261101-20261122.csv``: the measure, the first and the last day."""
    question, measure = table.whole.question, table.whole.measure
    name = measure.name_en if table.english else measure.name
    first = question.start.astimezone(table.zone)
    last = (question.end - timedelta(microseconds=1)).astimezone(table.zone)
    return f"{name}-{first:%Y%m%d}-{last:%Y%m%d}.{kind.value}"


def rows_of(table: FigureTable) -> Iterator[list[Cell]]:
    """The heading, then a row for each figure."""
    measure, question = table.whole.measure, table.whole.question
    yield _heading(table, measure, question.compare)
    for answer in (table.whole, table.parts):
        if answer is None:
            continue
        grain = answer.question.grain
        part = table.word("whole" if grain is None else grain)
        for series in (answer.total, *answer.groups):
            name = table.word("total") if series is answer.total else series.name or series.key
            yield from _rows(table, part, name, series, question.compare)


def _heading(table: FigureTable, measure: MeasureInfo, compare: Sequence[Comparison]) -> list[Cell]:
    formula = measure.formula_en if table.english else measure.formula
    above, _, below = formula.partition(" / ")
    unit = {
        MeasureUnit.PERCENT: "%", MeasureUnit.SECONDS: table.word("seconds"), MeasureUnit.COUNT: "",
    }[measure.unit]  # fmt: skip
    name = measure.name_en if table.english else measure.name
    found: list[Cell] = [table.word(one) for one in ("part", "start", "end", "group")]
    found.append(f"{name} ({unit})" if unit else name)
    found += [above, *([below] if measure.denominator else [])]
    changed = table.word("points") if measure.unit is MeasureUnit.PERCENT else "%"
    for to in compare:
        found += [table.word(to), f"{table.word((to, 'change'))} ({changed})"]
    return found


def _rows(
    table: FigureTable, part: str, name: str, series: Series, compare: Sequence[Comparison]
) -> Iterator[list[Cell]]:
    measure = table.whole.measure
    for point in series.points:
        figure = point.figure
        start, end = (one.astimezone(table.zone).replace(tzinfo=None) for one in (point.start, point.end))
        row: list[Cell] = [part, start, end, name, figure.value]
        row.append(_sum(figure.numerator, measure.numerator))
        if measure.denominator:
            row.append(_sum(figure.denominator or 0, measure.denominator))
        for to in compare:
            change = point.changes.get(to)
            row += [None, None] if change is None else [change.figure.value, change.value]
        yield row


def _sum(value: int, counts: Sequence[str]) -> Cell:
    """A sum; of times (their counts end in ``_ms``) in seconds."""
    return Decimal(value) / 1000 if all(one.endswith("_ms") for one in counts) else value


def as_csv(table: FigureTable) -> bytes:
    """UTF-8 with a byte order mark, without which Excel takes Chinese for something else."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for row in rows_of(table):
        writer.writerow([_plain(cell) for cell in row])
    return out.getvalue().encode("utf-8-sig")


def _plain(cell: Cell) -> Cell:
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "minutes")
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_SIGNS) else cell


def as_xlsx(table: FigureTable) -> bytes:
    """A sheet of figures, and one that says what they are.

    Raises:
        SetupError: openpyxl is not installed.
    """
    try:
        from openpyxl import Workbook
        from openpyxl.styles import Font
    except ImportError:
        raise SetupError(
            "XLSX needs openpyxl, which is not installed",
            hint="pip install 'hotline12345[reports]', or take CSV",
        ) from None
    book = Workbook()
    sheet = book.worksheets[0]
    measure = table.whole.measure
    sheet.title = "figures"
    for number, row in enumerate(rows_of(table), 1):
        for column, value in enumerate(row, 1):
            cell = sheet.cell(number, column, value)
            if isinstance(value, str):
                cell.data_type = "s"  # never a formula, whatever it begins with
            elif isinstance(value, datetime):
                cell.number_format = "yyyy-mm-dd hh:mm"
            elif isinstance(value, Decimal) and measure.unit is not MeasureUnit.COUNT:
                cell.number_format = "0.00"
            if number == 1:
                cell.font = Font(bold=True)
    sheet.freeze_panes = "E2"
    for letter, width in zip("ABCDEFGHIJK", (8, 17, 17, 22, *([14] * 7)), strict=True):
        sheet.column_dimensions[letter].width = width
    about = book.create_sheet(table.word("about"))
    for said in _about(table, measure):
        about.append(said)
    about.column_dimensions["B"].width = 60
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _about(table: FigureTable, measure: MeasureInfo) -> list[list[str]]:
    named = measure.name_en if table.english else measure.name
    formula = measure.formula_en if table.english else measure.formula
    remark = measure.remark_en if table.english else measure.remark
    norm = "" if measure.norm is None else f"{measure.norm:g}"
    (whole,) = table.whole.total.points

    def span(start: datetime, end: datetime) -> str:
        return " – ".join(f"{one.astimezone(table.zone):%Y-%m-%d %H:%M}" for one in (start, end))

    compared = [
        [table.word((to, "change")), f"{span(whole.start, one.until)} ↔ {span(one.start, one.end)}"]
        for to, one in whole.changes.items()
    ]
    return [
        [table.word("formula"), f"{named} ＝ {formula}"],
        *([[table.word("norm"), norm]] if norm else []),
        *([[table.word("remark"), remark]] if remark else []),
        *compared,
    ]


def as_file(table: FigureTable, kind: TableKind) -> bytes:
    """The bytes of a file."""
    return as_csv(table) if kind is TableKind.CSV else as_xlsx(table)
