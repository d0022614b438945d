"""A report in every format, opened again: Chinese text, figures, pictures (with real fonts and Pango)."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import docx
import pypdf
import pytest
from docx.oxml.ns import qn

from hotline.core.errors import SetupError
from hotline.metrics.report import fonts
from hotline.metrics.report.as_docx import as_docx
from hotline.metrics.report.as_html import as_html
from hotline.metrics.report.as_pdf import as_pdf
from hotline.metrics.report.compose import compose
from hotline.metrics.report.data import Case
from hotline.metrics.report.fonts import chinese_fonts
from hotline.metrics.report.writing import FORMATS, try_out
from tests.fixtures.report_month import sample_month

pytestmark = pytest.mark.real
HOSTILE = Case(title="<script>alert(1)</script>", text="a & b <img src=http://example.invalid/x>")
REPORT = compose(sample_month(cases=(HOSTILE,)))


def test_the_page_is_whole_in_itself() -> None:
    """Three pictures with their words as text, every table, and nothing that comes from elsewhere."""
    page = as_html(REPORT, chinese_fonts())
    assert page.count("<svg") == 3 and page.count("<table") == len(REPORT.tables())
    assert "社会保险" in page[page.index("<svg") :] and "咨询  10,914件  39.29%" in page
    assert "&lt;script&gt;" in page and "<script" not in page and "<img" not in page
    ids = [part.split('"')[0] for part in page.split('id="')[1:]]
    assert len(ids) == len(set(ids))


def fonts_of(page: Any) -> list[str]:
    """The fonts that a page of a PDF embeds."""
    return [str(font.get_object()["/BaseFont"]) for font in page["/Resources"]["/Font"].values()]


def face(paragraph: Any) -> str:
    """The Chinese font of a paragraph, which its style names."""
    return str(paragraph.style.element.rPr.rFonts.get(qn("w:eastAsia")))


def test_the_pdf_is_chinese_text_and_not_a_picture_of_it() -> None:
    """Pages that a reader finds words in, with Chinese fonts inside."""
    reader = pypdf.PdfReader(io.BytesIO(as_pdf(REPORT, chinese_fonts())))
    text = "".join(page.extract_text() for page in reader.pages).replace("\n", "")
    for words in ("运行情况通报", "人工接听来电94,075个", "12315 市场监管局", "97.68%", "停车管理", "— 1 —"):
        assert words in text
    used = {name for page in reader.pages for name in fonts_of(page)}
    assert any("CJK" in name for name in used)


def test_the_word_document_is_set_like_an_official_one() -> None:
    """仿宋 text, 黑体 headings, a red head with its number, page numbers, tables as wide as the text."""
    paper = docx.Document(io.BytesIO(as_docx(REPORT, chinese_fonts())))
    heads = [one for one in paper.paragraphs if one.style is not None and one.style.name == "Heading 1"]
    assert [one.text for one in heads][:2] == ["一、总体情况", "二、诉求构成"]
    faces = {face(one) for one in heads}
    assert faces == {"黑体"}
    first = next(one for one in paper.paragraphs if "94,075个" in one.text)
    assert face(first) == "仿宋"
    head = [one.text for one in paper.paragraphs[:4]]
    assert head == [REPORT.title, "2020年第3期", f"{REPORT.issuer}\t未定稿", "2020年3月"]
    assert "表6　各专线接听情况" in [one.text for one in paper.paragraphs]
    assert "PAGE" in paper.sections[0].footer._element.xml
    page = paper.sections[0]
    assert [round(side.mm) for side in (page.top_margin, page.left_margin) if side is not None] == [37, 28]
    assert len(paper.tables) == len(REPORT.tables()) and len(paper.inline_shapes) == 3
    table = next(one for one in paper.tables if one.cell(0, 0).text == "专线")
    assert [cell.text for cell in table.rows[4].cells] == ["　12315 原工商", "10,183"]
    for found in paper.tables:
        widths = [cell.width.pt for cell in found.rows[0].cells if cell.width is not None]
        assert len(widths) == len(found.columns) and sum(widths) == pytest.approx(442, abs=1)


def test_the_doctor_can_try_every_format(monkeypatch: pytest.MonkeyPatch) -> None:
    """All are well here; without a font it says which package to install."""
    try_out(FORMATS)
    monkeypatch.setattr(fonts, "_asked", lambda *_: "")
    chinese_fonts.cache_clear()
    with pytest.raises(SetupError, match="fonts-noto-cjk"):
        try_out(["pdf"])


def test_without_a_chinese_font_the_error_names_the_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One line; and likewise where there is no fontconfig to ask."""
    monkeypatch.setattr(fonts, "_asked", lambda *_: "")
    with pytest.raises(
        SetupError, match="no Chinese font for pictures and PDF — apt-get install fonts-noto-cjk"
    ):
        chinese_fonts.__wrapped__()
    monkeypatch.undo()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="apt-get install fontconfig fonts-noto-cjk"):
        chinese_fonts.__wrapped__()
