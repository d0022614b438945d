"""A report as an Excel workbook: sentences first, then a sheet a table, numbers as numbers.

Charts are Excel's own over the cells of their table (``xlsx_charts.py``): they follow what is changed there.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any, Final

from hotline.metrics.report.document import (
    Chart,
    Column,
    Document,
    Form,
    Heading,
    Note,
    Table,
    Value,
    columns_wide,
    written,
)
from hotline.metrics.report.extras import missing
from hotline.metrics.report.xlsx_charts import HEAD_ROW, draw, own_sheet, place_of

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

FORMATS: Final = {
    Form.TEXT: "@",
    Form.COUNT: "#,##0",
    Form.PERCENT: "0.00%",
    Form.CHANGE: "+0.00%;-0.00%;0.00%",
    Form.POINTS: "+0.00;-0.00;0.00",
    Form.NUMBER: "#,##0.00",
}
_PERCENTS: Final = (Form.PERCENT, Form.CHANGE)
_UNFIT: Final = re.compile(r"[\\/*?:\[\]]")
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
LONGEST_NAME: Final = 31
WORDS_WIDE: Final = 72  # fits on paper


def as_xlsx(document: Document) -> bytes:
    """The whole file.

    Raises:
        SetupError: openpyxl is not installed.
    """
    try:
        from openpyxl import Workbook
    except ImportError:
        raise missing("openpyxl") from None

    book = Workbook()
    first = book.worksheets[0]
    _words(first, document)
    taken = {first.title}
    captions = document.captions()
    sheets = []
    for table in document.tables():
        sheet = book.create_sheet(_name(table.title, taken))
        _table(sheet, table, captions[table.id])
        sheets.append((table, sheet))
    for chart in document.blocks:
        if isinstance(chart, Chart):
            place = place_of(chart, sheets) or own_sheet(book.create_sheet(_name(chart.title, taken)), chart)
            draw(chart, captions[chart.id], place)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _words(sheet: Worksheet, document: Document) -> None:
    from openpyxl.styles import Alignment, Font

    sheet.title = "文字"
    sheet.column_dimensions["A"].width = WORDS_WIDE
    rows: list[tuple[str, float, bool]] = [
        (document.title, 18, True),
        (
            "　".join(filter(None, (document.number, document.period, document.issuer, document.status))),
            11,
            False,
        ),
    ]
    for block in document.blocks:
        if not isinstance(block, (Table, Chart)):
            rows.append((block.text, 12, isinstance(block, Heading) or _loud(block)))
    for number, (text, size, bold) in enumerate(rows, 1):
        cell = sheet.cell(number, 1)
        _put(cell, text, Column(""))
        cell.font, cell.alignment = Font(size=size, bold=bold), Alignment(wrap_text=True, vertical="top")
        lines = -(
            -columns_wide(text) * size // (WORDS_WIDE * 10)
        )  # a column is as wide as a digit of 11 points
        sheet.row_dimensions[number].height = 1.5 * size * lines
    _one_page_wide(sheet)


def _one_page_wide(sheet: Worksheet) -> None:
    """On paper; as many pages down as it takes."""
    from openpyxl.worksheet.properties import PageSetupProperties

    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _loud(block: object) -> bool:
    return isinstance(block, Note) and block.tone != "source"


def _table(sheet: Worksheet, table: Table, caption: str) -> None:
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

    thin, fill = Side(style="thin", color="999999"), PatternFill("solid", fgColor="EEF1F5")
    sheet.cell(1, 1, caption).font = Font(size=14, bold=True)
    for at, column in enumerate(table.columns, 1):
        head = sheet.cell(HEAD_ROW, at, column.title)
        head.font, head.fill = Font(bold=True), fill
        head.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        head.border = Border(top=thin, bottom=thin, left=thin, right=thin)
    for number, row in enumerate(table.rows, HEAD_ROW + 1):
        for at, (value, column) in enumerate(zip(row.cells, table.columns, strict=True), 1):
            cell = sheet.cell(number, at)
            _put(cell, value, column)
            cell.font = Font(bold=row.strong)
            cell.border = Border(top=thin, bottom=thin, left=thin, right=thin)
            indent = 2 * row.depth if at == 1 else 0
            align = "left" if column.form is Form.TEXT else "right"  # a dash or a 新增 as well
            cell.alignment = Alignment(horizontal=align, vertical="center", indent=indent)
    sheet.cell(HEAD_ROW + len(table.rows) + 2, 1, table.source).font = Font(italic=True, color="666666")
    for at, column in enumerate(table.columns):
        texts = [column.title, *(written(row.cells[at], column.form) for row in table.rows)]
        sheet.column_dimensions[_letter(at)].width = min(max(map(columns_wide, texts)) + 3, 60)
    sheet.freeze_panes = f"B{HEAD_ROW + 1}"
    sheet.print_title_rows = f"{HEAD_ROW}:{HEAD_ROW}"
    _one_page_wide(sheet)


def _put(cell: Any, value: Value, column: Column) -> None:
    """A number stays one; a text is never taken for a formula."""
    if isinstance(value, str):
        cell.value, cell.data_type = _safe(value), "s"
    elif value is not None:
        cell.value = round(value / 100, 6) if column.form in _PERCENTS else value
        cell.number_format = FORMATS[column.form]


def _safe(text: str) -> str:
    return _CONTROLS.sub("", text)


def _name(title: str, taken: set[str]) -> str:
    """A sheet's name: what Excel allows, each once."""
    name = plain = _UNFIT.sub("_", title)[:LONGEST_NAME]
    count = 1
    while name in taken:
        count += 1
        name = f"{plain[: LONGEST_NAME - 3]}_{count}"
    taken.add(name)
    return name


def _letter(at: int) -> str:
    from openpyxl.utils import get_column_letter

    return str(get_column_letter(at + 1))
