"""A report as a Word document, set like an official one (GB/T 9704-2012); its styles: ``docx_styles.py``.

The fonts are named, not embedded: an office that writes such documents has them, others show their own.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

from hotline.metrics.report.charts import picture
from hotline.metrics.report.document import (
    WHOLE_ROWS,
    Block,
    Chart,
    Document,
    Form,
    Heading,
    Note,
    Paragraph,
    Row,
    Table,
    columns_wide,
    written,
)
from hotline.metrics.report.docx_styles import (
    BODY,
    CELL,
    CHAPTER,
    CHART_CAPTION,
    HEAD,
    HEITI,
    MASTHEAD,
    NUMBER,
    PERIOD,
    PICTURE,
    RED,
    SECTION,
    SMALL,
    SOURCE,
    TABLE_CAPTION,
    TEXT_WIDTH_POINTS,
    WARNING,
    Style,
    define,
)
from hotline.metrics.report.extras import missing
from hotline.metrics.report.fonts import Fonts

if TYPE_CHECKING:
    from docx.document import Document as Paper
    from docx.table import _Cell

LONG_TITLE_POINTS: Final = 22.0  # 二号: of a title that would not fit on one line
SMALL_POINTS: Final = 9.0  # 小五
WIDE_COLUMNS: Final = 7
CELL_MARGIN_POINTS: Final = 3.0
CHART_MM: Final = 150
_SLACK: Final = 0.92  # fonts that take the place of ours may be wider


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
    define(paper)
    _set_page(paper)
    paper.core_properties.title = f"{document.title}（{document.period}）"
    paper.core_properties.author = document.issuer
    paper.core_properties.comments = ""
    _masthead(paper, document)
    captions = document.captions()
    for block in document.blocks:
        _block(paper, block, captions.get(block.id, ""), fonts)
    out = io.BytesIO()
    paper.save(out)
    return out.getvalue()


def _masthead(paper: Paper, document: Document) -> None:
    """The red head: title, number, who publishes it and whether it is final, over a red line."""
    from docx.enum.text import WD_TAB_ALIGNMENT
    from docx.shared import Pt

    title = _paragraph(paper, document.title, HEAD)
    if columns_wide(document.title) * HEAD.points / 2 > _SLACK * TEXT_WIDTH_POINTS:
        title.runs[0].font.size = Pt(LONG_TITLE_POINTS)
    if document.number:
        _paragraph(paper, document.number, NUMBER)
    line = _paragraph(paper, f"{document.issuer}\t{document.status}", MASTHEAD)
    border = _element(line._p.get_or_add_pPr(), "pBdr")
    _element(border, "bottom", val="single", sz="18", space="4", color=RED)
    line.paragraph_format.tab_stops.add_tab_stop(Pt(TEXT_WIDTH_POINTS), WD_TAB_ALIGNMENT.RIGHT)
    _paragraph(paper, document.period, PERIOD)


def _block(paper: Paper, block: Block, caption: str, fonts: Fonts) -> None:
    match block:
        case Heading():
            _paragraph(paper, block.text, CHAPTER if block.level == 1 else SECTION)
        case Paragraph():
            for line in block.text.splitlines():
                _paragraph(paper, line, BODY)
        case Note(tone="source"):
            _paragraph(paper, block.text, SMALL)
        case Note():
            _paragraph(paper, f"※ {block.text}", WARNING)
        case Table():
            _table(paper, block, caption)
        case Chart():
            _chart(paper, block, caption, fonts)


def _set_page(paper: Paper) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Mm, Pt

    page = paper.sections[0]
    page.page_width, page.page_height = Mm(210), Mm(297)
    page.top_margin, page.bottom_margin = Mm(37), Mm(35)
    page.left_margin, page.right_margin = Mm(28), Mm(26)
    foot = page.footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    foot.paragraph_format.tab_stops.clear_all()
    for text in ("— ", "", " —"):
        run = foot.add_run(text)
        run.font.size = Pt(14.0)
        if not text:
            _field(run, "PAGE")


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


def _paragraph(paper: Paper, text: str, style: Style) -> Any:
    return paper.add_paragraph(text, style=style.name)


def _table(paper: Paper, table: Table, caption: str) -> None:
    from docx.enum.table import WD_TABLE_ALIGNMENT
    from docx.oxml.ns import qn
    from docx.shared import Pt

    _paragraph(paper, caption, TABLE_CAPTION)
    points = SMALL_POINTS if len(table.columns) > WIDE_COLUMNS else CELL.points
    grid = paper.add_table(rows=1 + len(table.rows), cols=len(table.columns), style="Table Grid")
    grid.alignment, grid.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    margins = _element(grid._tbl.tblPr, "tblCellMar")
    grid._tbl.tblPr.find(qn("w:tblLook")).addprevious(margins)
    for side in ("left", "right"):
        _element(margins, side, w=str(int(20 * CELL_MARGIN_POINTS)), type="dxa")
    style_id = paper.styles[CELL.name].style_id
    widths = [Pt(width) for width in column_widths(table, points)]
    for grid_column, width in zip(grid.columns, widths, strict=True):
        grid_column.width = width
    heads = Row(tuple("\n".join(column.lines()) for column in table.columns), strong=True)
    for number, (grid_row, row) in enumerate(zip(grid.rows, (heads, *table.rows), strict=True)):
        _element(grid_row._tr.get_or_add_trPr(), "cantSplit")
        if number == 0:
            _element(grid_row._tr.trPr, "tblHeader")
        whole = len(table.rows) <= WHOLE_ROWS and number < len(table.rows)
        for at, (cell, value, column) in enumerate(
            zip(grid_row.cells, row.cells, table.columns, strict=True)
        ):
            text = "　" * (row.depth if at == 0 else 0) + written(value, column.form)
            align = "center" if number == 0 else "left" if column.form is Form.TEXT else "right"
            cell.width = widths[at]
            _cell(
                cell, text, style_id, points,
                bold=row.strong, align=align, head=number == 0, keep=whole or number == 0,
            )  # fmt: skip
    _paragraph(paper, table.source, SOURCE)


def column_widths(table: Table, points: float) -> list[float]:
    """The columns' widths in points, together as wide as the text.

    Figures are never broken, titles go over two lines; where there is too little room the widest texts wrap.
    """
    needs = [_need(table, at, points) for at in range(len(table.columns))]
    texts = [at for at, column in enumerate(table.columns) if column.form is Form.TEXT]
    least = 4 * points + 2 * CELL_MARGIN_POINTS  # of a text: four characters on a line
    for at in sorted(texts, key=lambda at: -needs[at]):
        lacking = sum(needs) - TEXT_WIDTH_POINTS
        if lacking > 0:
            needs[at] = max(needs[at] - lacking, min(least, needs[at]))
    return [need * TEXT_WIDTH_POINTS / sum(needs) for need in needs]


def _need(table: Table, at: int, points: float) -> float:
    """How wide a column would like to be, in points."""
    form, lines = table.columns[at].form, table.columns[at].lines()
    title = max(map(columns_wide, lines))
    indents = [row.depth * 2 if at == 0 else 0 for row in table.rows]
    texts = (columns_wide(written(row.cells[at], form)) for row in table.rows)
    widest = max((text + indent for text, indent in zip(texts, indents, strict=True)), default=0)
    one_line = 4 if len(table.columns) > WIDE_COLUMNS else 8
    wanted = max(widest, title if title <= one_line or len(lines) > 1 else -(-title // 4) * 2)
    return wanted * points / 2 / _SLACK + 2 * CELL_MARGIN_POINTS


def _cell(
    cell: _Cell, text: str, style_id: str, points: float, *, bold: bool, align: str, head: bool, keep: bool
) -> None:
    from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT
    from docx.enum.text import WD_PARAGRAPH_ALIGNMENT
    from docx.oxml.ns import qn
    from docx.shared import Pt

    paragraph = cell.paragraphs[0]
    paragraph._p.style = style_id  # by its name it is looked for among all styles, in every cell
    paragraph.alignment = WD_PARAGRAPH_ALIGNMENT[align.upper()]
    paragraph.paragraph_format.keep_with_next = keep or None
    run = paragraph.add_run(text)
    run.font.size, run.font.bold = Pt(points), bold or None
    if head:
        run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), HEITI)
    if bold:
        fill = "EEF1F5" if head else "F7F8FA"
        _element(cell._tc.get_or_add_tcPr(), "shd", val="clear", color="auto", fill=fill)
    cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER


def _element(parent: Any, name: str, **values: str) -> Any:
    """Append an element of WordprocessingML. Word minds the order of its kind among the others."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    made = OxmlElement(f"w:{name}")
    for key, value in values.items():
        made.set(qn(f"w:{key}"), value)
    parent.append(made)
    return made


def _chart(paper: Paper, chart: Chart, caption: str, fonts: Fonts) -> None:
    from docx.shared import Mm

    paragraph = _paragraph(paper, "", PICTURE)
    paragraph.add_run().add_picture(io.BytesIO(picture(chart, fonts, "png")), width=Mm(CHART_MM))
    _paragraph(paper, caption, CHART_CAPTION)
