"""A report as a Word document, set like an official one (GB/T 9704-2012): margins, sizes, 仿宋 and 黑体.

The fonts are named, not embedded: an office that writes such documents has them, others show their own.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

from hotline.metrics.report.charts import picture
from hotline.metrics.report.document import (
    Block,
    Chart,
    Document,
    Form,
    Heading,
    Note,
    Paragraph,
    Table,
    written,
)
from hotline.metrics.report.extras import missing
from hotline.metrics.report.fonts import Fonts

if TYPE_CHECKING:
    from docx.document import Document as Paper
    from docx.table import _Cell

FANGSONG: Final = "仿宋_GB2312"
HEITI: Final = "黑体"
KAITI: Final = "楷体_GB2312"
SONG: Final = "宋体"
TITLE_POINTS: Final = 22.0  # 二号
TEXT_POINTS: Final = 16.0  # 三号
LINE_POINTS: Final = 28.0  # 22 lines a page
TABLE_POINTS: Final = 10.5  # 五号
SMALL_POINTS: Final = 9.0  # 小五
WIDE_COLUMNS: Final = 8


def as_docx(document: Document, fonts: Fonts) -> bytes:
    """The whole file.

    Raises:
        SetupError: python-docx is not installed.
    """
    try:
        import docx
    except ImportError:
        raise missing("python-docx") from None
    paper = docx.Document()
    _set_page(paper)
    paper.core_properties.title = f"{document.title}（{document.period}）"
    paper.core_properties.author = document.issuer
    _paragraph(paper, document.title, SONG, TITLE_POINTS, bold=True, align="center", colour="CC0000")
    heads = f"{document.period}    {document.issuer}    {document.status}"
    _paragraph(paper, heads, FANGSONG, 14.0, align="center")
    for block in document.blocks:
        _block(paper, block, fonts)
    out = io.BytesIO()
    paper.save(out)
    return out.getvalue()


def _block(paper: Paper, block: Block, fonts: Fonts) -> None:
    match block:
        case Heading(level=1):
            _paragraph(paper, block.text, HEITI, TEXT_POINTS, style="Heading 1", keep=True, indent=True)
        case Heading():
            _paragraph(paper, block.text, KAITI, TEXT_POINTS, style="Heading 2", keep=True, indent=True)
        case Paragraph():
            for line in block.text.splitlines():
                _paragraph(paper, line, FANGSONG, TEXT_POINTS, indent=True)
        case Note(tone="source"):
            _paragraph(paper, block.text, FANGSONG, TABLE_POINTS, line=18.0)
        case Note():
            _paragraph(paper, f"※ {block.text}", FANGSONG, 12.0, bold=True, line=20.0)
        case Table():
            _table(paper, block)
        case Chart():
            _chart(paper, block, fonts)


def _set_page(paper: Paper) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Mm

    page = paper.sections[0]
    page.page_width, page.page_height = Mm(210), Mm(297)
    page.top_margin, page.bottom_margin = Mm(37), Mm(35)
    page.left_margin, page.right_margin = Mm(28), Mm(26)
    foot = page.footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _run(foot, "— ", SONG, 14.0)
    _field(foot.add_run(), "PAGE")
    _run(foot, " —", SONG, 14.0)


def _field(run: Any, code: str) -> None:
    """A field that the word processor fills in: PAGE."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    for kind in ("begin", "", "end"):
        element = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            element.set(qn("w:fldCharType"), kind)
        else:
            element.text = code
        run._r.append(element)


def _paragraph(
    paper: Paper,
    text: str,
    font: str,
    points: float,
    *,
    style: str = "Normal",
    bold: bool = False,
    align: str = "justify",
    colour: str = "000000",
    indent: bool = False,
    keep: bool = False,
    line: float = LINE_POINTS,
) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    paragraph = paper.add_paragraph(style=style)
    form = paragraph.paragraph_format
    form.space_before = form.space_after = Pt(0)
    form.line_spacing = Pt(line if points < TITLE_POINTS else 36.0)
    form.first_line_indent = Pt(2 * points) if indent else None
    form.keep_with_next = keep
    paragraph.alignment = {
        "justify": WD_ALIGN_PARAGRAPH.JUSTIFY,
        "center": WD_ALIGN_PARAGRAPH.CENTER,
        "right": WD_ALIGN_PARAGRAPH.RIGHT,
    }[align]
    _run(paragraph, text, font, points, bold=bold, colour=colour)


def _run(
    paragraph: Any, text: str, font: str, points: float, *, bold: bool = False, colour: str = "000000"
) -> None:
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    run = paragraph.add_run(text)
    run.font.size, run.font.bold = Pt(points), bold
    run.font.name = "Times New Roman"
    run.font.color.rgb = RGBColor.from_string(colour)
    run.font.italic = False
    run._element.rPr.rFonts.set(qn("w:eastAsia"), font)


def _table(paper: Paper, table: Table) -> None:
    from docx.enum.table import WD_TABLE_ALIGNMENT

    _paragraph(paper, table.title, HEITI, 12.0, align="center", keep=True)
    points = SMALL_POINTS if len(table.columns) > WIDE_COLUMNS else TABLE_POINTS
    grid = paper.add_table(rows=1, cols=len(table.columns), style="Table Grid")
    grid.alignment = WD_TABLE_ALIGNMENT.CENTER
    for cell, column in zip(grid.rows[0].cells, table.columns, strict=True):
        _cell(cell, column.title, points, bold=True, align="center", shade="EEF1F5")
    _repeat(grid.rows[0])
    for row in table.rows:
        cells = grid.add_row().cells
        for at, (cell, value, column) in enumerate(zip(cells, row.cells, table.columns, strict=True)):
            text = "　" * (row.depth if at == 0 else 0) + written(value, column.form)
            align = "left" if column.form is Form.TEXT else "right"
            _cell(cell, text, points, bold=row.strong, align=align, shade="F7F8FA" if row.strong else "")
    _paragraph(paper, table.source, FANGSONG, SMALL_POINTS, align="right", line=14.0)


def _cell(cell: _Cell, text: str, points: float, *, bold: bool, align: str, shade: str) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Pt

    paragraph = cell.paragraphs[0]
    form = paragraph.paragraph_format
    form.space_before = form.space_after = Pt(1)
    paragraph.alignment = {
        "left": WD_ALIGN_PARAGRAPH.LEFT,
        "center": WD_ALIGN_PARAGRAPH.CENTER,
        "right": WD_ALIGN_PARAGRAPH.RIGHT,
    }[align]
    _run(paragraph, text, FANGSONG, points, bold=bold)
    if shade:
        fill = OxmlElement("w:shd")
        for name, value in (("val", "clear"), ("color", "auto"), ("fill", shade)):
            fill.set(qn(f"w:{name}"), value)
        cell._tc.get_or_add_tcPr().append(fill)


def _repeat(row: Any) -> None:
    """The titles stand on every page that the table goes over, and no row is cut."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    head = OxmlElement("w:tblHeader")
    head.set(qn("w:val"), "true")
    row._tr.get_or_add_trPr().append(head)


def _chart(paper: Paper, chart: Chart, fonts: Fonts) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Mm

    paragraph = paper.add_paragraph()
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.paragraph_format.keep_with_next = True
    paragraph.add_run().add_picture(io.BytesIO(picture(chart, fonts, "png")), width=Mm(150))
    _paragraph(paper, chart.title, HEITI, 12.0, align="center")
