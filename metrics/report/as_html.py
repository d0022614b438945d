"""A report as one HTML file that needs nothing else: for a browser, for paper, and (``as_pdf``) for PDF.

Pictures are SVG inside the page. The fonts are those of official documents where the reader has them, and the
machine's own otherwise.
"""

from __future__ import annotations

import re
from functools import partial
from html import escape
from pathlib import Path
from typing import Final

from hotline.metrics.report.charts import picture
from hotline.metrics.report.document import (
    WHOLE_ROWS,
    Chart,
    Column,
    Document,
    Form,
    Heading,
    Note,
    Paragraph,
    Table,
    Value,
    columns_wide,
    written,
)
from hotline.metrics.report.fonts import Fonts

_STYLE: Final = Path(__file__).with_name("report.css")
PAPER_MM: Final = 128  # how wide a picture is on paper
_SHORT_NAME: Final = 16  # half characters of a text that is never broken
_WEB_FONTS: Final = "'Microsoft YaHei','PingFang SC',sans-serif"


def as_html(document: Document, fonts: Fonts) -> str:
    """The whole page."""
    style = _STYLE.read_text(encoding="utf-8").replace("HEI", fonts.hei).replace("SONG", fonts.song)
    captions = document.captions()
    body = "\n".join(_block(block, captions.get(block.id, ""), fonts) for block in document.blocks)
    number = f'<p class="issue">{escape(document.number)}</p>\n' if document.number else ""
    return (
        '<!DOCTYPE html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(document.title)}（{escape(document.period)}）</title>\n<style>\n{style}</style>\n"
        f"</head>\n<body>\n<header>\n<h1>{escape(document.title)}</h1>\n"
        f'{number}<p class="meta"><span>{escape(document.issuer)}</span>'
        f"<span>{escape(document.status)}</span></p>\n</header>\n<main>\n"
        f'<p class="period">{escape(document.period)}</p>\n{body}\n</main>\n</body>\n</html>\n'
    )


def _block(block: Heading | Paragraph | Note | Table | Chart, caption: str, fonts: Fonts) -> str:
    match block:
        case Heading():
            tag = f"h{min(block.level, 3) + 1}"
            return f"<{tag}>{escape(block.text)}</{tag}>"
        case Paragraph():
            return f"<p>{_lines(block.text)}</p>"
        case Note():
            return f'<p class="note tone-{block.tone}">{_lines(block.text)}</p>'
        case Table():
            return _table(block, caption)
        case Chart():
            return _chart(block, caption, fonts)


def _lines(text: str) -> str:
    return "<br>".join(escape(line) for line in text.splitlines())


def _table(table: Table, caption: str) -> str:
    heads = "".join(f"<th{_align(column)}>{_title(column)}</th>" for column in table.columns)
    rows = []
    for row in table.rows:
        cells = "".join(
            _cell(value, column, row.depth if at == 0 else 0)
            for at, (value, column) in enumerate(zip(row.cells, table.columns, strict=True))
        )
        strong = ' class="strong"' if row.strong else ""
        rows.append(f"<tr{strong}>{cells}</tr>")
    lines = "\n".join(rows)
    wide = " wide" if len(table.columns) > 8 else ""
    wide += " short" if len(table.rows) <= WHOLE_ROWS else ""
    return (
        f'<figure class="table{wide}"><figcaption>{escape(caption)}</figcaption>\n'
        f"<table><thead><tr>{heads}</tr></thead>\n<tbody>\n{lines}\n</tbody></table>\n"
        f'<p class="source">{escape(table.source)}</p></figure>'
    )


def _title(column: Column) -> str:
    lines = column.lines()
    return (
        "<br>".join(f"<span>{escape(line)}</span>" for line in lines) if len(lines) > 1 else escape(lines[0])
    )


def _cell(value: Value, column: Column, depth: int) -> str:
    indent = f' style="padding-left:{0.5 + 1.4 * depth:.1f}em"' if depth else ""
    text = written(value, column.form)
    name = ' class="name"' if column.form is Form.TEXT and columns_wide(text) <= _SHORT_NAME else ""
    return f"<td{_align(column) or name}{indent}>{escape(text)}</td>"


def _align(column: Column) -> str:
    return "" if column.form is Form.TEXT else ' class="number"'


def _chart(chart: Chart, caption: str, fonts: Fonts) -> str:
    drawn = picture(chart, fonts, "svg").decode()
    drawn = drawn[drawn.index("<svg") :]  # a page has no place for the XML declaration
    drawn = re.sub(
        r'<svg [^>]*?viewBox="([^"]+)"[^>]*>', partial(_svg, chart), drawn, count=1, flags=re.DOTALL
    )
    drawn = re.sub(r"<metadata>.*?</metadata>", "", drawn, flags=re.DOTALL)
    # several pictures share the page: their ids must not meet
    drawn = re.sub(r'(id="|xlink:href="#|href="#|url\(#)', rf"\g<1>{chart.id.replace('.', '-')}-", drawn)
    drawn = drawn.replace(f"'{fonts.hei}'", f"'{fonts.hei}',{_WEB_FONTS}")
    return f'<figure class="chart">{drawn}<figcaption>{escape(caption)}</figcaption></figure>'


def _svg(chart: Chart, found: re.Match[str]) -> str:
    """The element as paper wants it, of a fixed size; on a screen the style sheet lets it grow."""
    _, _, width, height = (float(side) for side in found[1].split())
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img" '
        f'aria-label="{escape(chart.title)}" viewBox="{found[1]}" '
        f'width="{PAPER_MM}mm" height="{PAPER_MM * height / width:.1f}mm">'
    )
