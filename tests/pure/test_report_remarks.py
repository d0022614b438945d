"""What people say of a report's figures: remarks on rows, explanations of notes, marks on edited figures."""

from __future__ import annotations

import dataclasses
import io
from datetime import UTC, datetime

import openpyxl
import pytest

from hotline.core.errors import UsageError
from hotline.metrics.report.as_html import as_html
from hotline.metrics.report.as_xlsx import as_xlsx
from hotline.metrics.report.compose import compose
from hotline.metrics.report.data import Breakdown, Counted
from hotline.metrics.report.document import Chart, Document, Note, Table
from hotline.metrics.report.draft import (
    Draft,
    as_json,
    content_print,
    new_draft,
    read_draft,
    reviewed,
    with_texts,
)
from hotline.metrics.report.fonts import Fonts
from tests.fixtures.report_month import sample_month

MADE = datetime(2020, 4, 1, tzinfo=UTC)


def table(document: Document, name: str) -> Table:
    return next(block for block in document.tables() if block.id == name)


def page(document: Document) -> str:
    """As HTML, without its pictures, which need the machine's fonts."""
    words = tuple(block for block in document.blocks if not isinstance(block, Chart))
    return as_html(dataclasses.replace(document, blocks=words), Fonts("serif", "serif", ""))


def notes(draft: Draft, tone: str) -> list[str]:
    blocks = reviewed(draft).blocks
    return [block.text for block in blocks if isinstance(block, Note) and block.tone == tone]


def test_rows_are_remarked_on_and_notes_explained() -> None:
    """A column more, words behind the note, in every format; figures and checks stay what they are."""
    wrong = sample_month(channels=Breakdown(total=3, rows=(Counted(name="电话", count=2),)), accepted=None)
    (slip,) = [block for block in compose(wrong).blocks if isinstance(block, Note) and block.tone == "check"]
    draft = new_draft(wrong, MADE)
    said = with_texts(draft, {"t.units/示例城管局": "已约谈，\n限期整改", slip.id: "另有来信"})
    found = table(reviewed(said), "t.units")
    assert found.columns[-1].title == "备注"
    remarks = {row.cells[0]: row.cells[-1] for row in found.rows if row.cells[-1]}
    assert remarks == {"示例城管局": "已约谈， 限期整改"}
    assert notes(said, "check") == [f"{slip.text}说明：另有来信"] and notes(said, "edit") == []

    sheet = openpyxl.load_workbook(io.BytesIO(as_xlsx(reviewed(said))))["承办单位办理情况"]
    assert "已约谈， 限期整改" in [cell.value for cell in list(sheet.columns)[-1]]
    assert "另有来信" in page(reviewed(said)) and "已约谈， 限期整改" in page(reviewed(said))
    assert read_draft(as_json(said), "d.json") == said and content_print(said) != content_print(draft)
    assert with_texts(said, {"t.units/示例城管局": None, slip.id: None}) == draft


def test_rows_of_one_name_are_told_apart() -> None:
    """A line and the line of its own number under it have remarks of their own."""
    said = with_texts(new_draft(sample_month(), MADE), {"t.totals/受理量（件）": "含来信"})
    assert [row.cells[-1] for row in table(reviewed(said), "t.totals").rows if row.cells[-1]] == ["含来信"]
    twice = sample_month(seats=(Counted(name="专席", count=2), Counted(name="专席", count=3)))
    said = with_texts(new_draft(twice, MADE), {"t.seats/专席#2": "新设"})
    assert [row.cells[-1] for row in table(reviewed(said), "t.seats").rows] == [None, "新设"]


def test_places_that_are_none_and_remarks_without_end() -> None:
    """Refused, with what is allowed."""
    draft = new_draft(sample_month(), MADE)
    with pytest.raises(UsageError, match=r"has no text t\.units/没有的单位"):
        with_texts(draft, {"t.units/没有的单位": "x"})
    with pytest.raises(UsageError, match="at most 300 characters"):
        with_texts(draft, {"t.units/示例城管局": "长" * 301})


def test_a_table_of_edited_figures_says_so_where_it_says_where_they_come_from() -> None:
    """So it is seen in every format beside the figure; other tables stay as they were."""
    draft = new_draft(sample_month(), MADE)
    changed = Breakdown(rows=(Counted(name="电话", count=27_464),))
    edited = dataclasses.replace(draft, data=draft.data.model_copy(update={"channels": changed}))
    document = reviewed(edited)
    assert table(document, "t.channels").source == "来源：填报数据（经人工修改）"
    assert table(document, "t.types").source == "来源：填报数据"
    assert "来源：填报数据（经人工修改）" in page(document)
    assert "数据不一致——受理渠道：合计27,464，受理量为27,776，两者不一致。" in notes(edited, "check")


def test_own_numbers_in_remarks_and_remarks_on_what_is_gone_are_told() -> None:
    """A number that no table has is marked; words on a row that mended figures lack are not dropped."""
    said = with_texts(new_draft(sample_month(), MADE), {"t.units/示例城管局": "其中逾期987件"})
    assert notes(said, "edit") == ["人工改动——“其中逾期987件…”中的数字987不见于本报告的表格，为人工填写。"]
    mended = dataclasses.replace(said, data=said.data.model_copy(update={"units": None}))
    lost = "人工改动——下列备注所指的行或核对结果已不在报告中：示例城管局：其中逾期987件。"
    assert lost in notes(mended, "edit")
