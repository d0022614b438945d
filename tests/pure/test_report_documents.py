"""Reports as documents, as workbooks and as drafts that people edit."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import openpyxl
import pytest

from hotline.config.problems import ConfigError
from hotline.metrics.report.as_docx import CELL_MARGIN_POINTS, SMALL_POINTS, column_widths
from hotline.metrics.report.as_xlsx import as_xlsx
from hotline.metrics.report.compose import compose
from hotline.metrics.report.data import Case, Counted, Phone, PhoneCounts, ReportData, Span, Unit, Units
from hotline.metrics.report.document import (
    Chart,
    Column,
    Document,
    Heading,
    Note,
    Paragraph,
    Series,
    Table,
    columns_wide,
    written,
)
from hotline.metrics.report.docx_styles import TEXT_WIDTH_POINTS
from hotline.metrics.report.draft import as_json, finished, new_draft, read_draft, reviewed
from hotline.metrics.report.periods import period_of
from tests.fixtures.report_month import report, sample_month

MADE = datetime(2020, 4, 1, 1, tzinfo=UTC)
FOSHAN = """
合计 94,075
12345 政务服务热线 61,983
12315 市场监管局 10,489
　12315 原工商 10,183
　12358 原物价 184
　12331 原食药监 66
　12330 原知识产权 56
　12365-1 原质监 0
12333 劳动社保 7,369
12329 住房公积金 5,537
公共资源交易咨询 2,498
人才服务 2,243
企业投资服务专线 1,221
12328 道路运输 1,102
12312 商务局 787
12369 环保 446
12320 卫生 231
12336 国土 63
12313 烟草 46
12350 安全生产 25
12318 文化市场 16
12316 农业 11
12385 残联 8
""".strip()


def table(document: Document, name: str) -> Table:
    return next(found for found in document.tables() if found.id == name)


def headings(document: Document) -> list[str]:
    return [block.text for block in document.blocks if isinstance(block, Heading) and block.level == 1]


def lines_of(found: Table) -> list[str]:
    return [
        "　" * row.depth + " ".join(written(v, c.form) for v, c in zip(row.cells, found.columns, strict=True))
        for row in found.rows
    ]


def test_the_table_of_lines_is_the_published_one() -> None:
    """The tree with its sub-totals, row by row; columns that nobody gave are not there."""
    found = table(compose(sample_month()), "t.lines")
    assert "\n".join(lines_of(found)) == FOSHAN
    assert [column.title for column in found.columns] == ["专线", "接听量"]
    assert found.source == "来源：填报数据"


def test_every_chapter_of_a_published_report_is_there() -> None:
    """In their order, counted through, with a pie, a bar and a trend."""
    document = compose(sample_month())
    assert headings(document) == [
        "一、总体情况", "二、诉求构成", "三、热点诉求", "四、走势", "五、专线运行情况",
        "六、承办单位办理情况",
        "七、分中心考核", "八、拨测情况", "九、特服席与知识库", "十、典型案例", "十一、指标口径与数据核对",
    ]  # fmt: skip
    assert [chart.shape for chart in document.blocks if isinstance(chart, Chart)] == ["pie", "bar", "line"]


def test_a_month_says_what_it_has_no_figures_for() -> None:
    """No empty table, and of every part a line that says why it is not there."""
    document = compose(report())
    assert document.tables() == [] and not any(isinstance(block, Chart) for block in document.blocks)
    assert len(headings(document)) == 11
    told = [block.text for block in document.blocks if isinstance(block, Paragraph)]
    assert len(told) == 13 and "拨测：无数据（本期没有拨测记录，也未填报）。" in told
    partly = compose(report(seats=(Counted(name="企业专席", count=3),)))
    told = [block.text for block in partly.blocks if isinstance(block, Paragraph)]
    assert not any(one.startswith("特服席：") for one in told) and any("知识库：无" in one for one in told)


def test_a_bulletin_of_nothing_holds_nothing() -> None:
    """Days and weeks are short: they tell of what there is."""
    document = compose(report(period_of(Span.DAY, "2020-03-05")))
    assert headings(document) == ["一、指标口径与数据核对"] and document.number == "2020年第65期"


def test_totals_stand_beside_those_of_the_month_before() -> None:
    """环比 of every count, as printed where the earlier count is not known, a dash where nothing is."""
    counts = {"answered": 110, "offered": 120, "self_service": 0}
    phone = Phone(total=PhoneCounts(**counts), previous=PhoneCounts(answered=100, self_service=0))
    document = compose(sample_month(phone=phone))
    assert lines_of(table(document, "t.totals")) == [
        "人工接听量（个） 110 100 +10.00%", "进入排队量（个） 120  —", "智能应答量（个） 0 0 0.00%",
        "受理量（件） 27,776  +17.00%", "当场答复量（件） 20,832  —", "转派量（件） 6,944  +44.25%",
        "按时办结量（件） 6,924  —",
    ]  # fmt: skip


def test_tables_and_charts_are_counted_through() -> None:
    """Each kind by itself, in the report's order."""
    captions = list(compose(sample_month()).captions().values())
    assert captions[:2] == ["表1　总体情况", "表2　受理渠道"]
    assert captions[-3:] == ["图1　诉求类型构成", "图2　热点诉求前10位", "图3　近6个月走势"]


def test_units_are_told_with_dashes_for_nothing_over_nothing() -> None:
    """A unit without orders has no rate, unless the site prints 0 %."""
    units = Units(rows=(Unit(name="甲", orders=0, on_time=0), Unit(name="乙", orders=4, on_time=3)))
    data = report(units=units)
    assert lines_of(table(compose(data), "t.units")) == ["甲 0 0 —", "乙 4 3 75.00%", "合计 4 3 75.00%"]
    zero = data.model_copy(update={"zero_over_zero": "zero"})
    assert lines_of(table(compose(zero), "t.units"))[0] == "甲 0 0 0.00%"


def test_numbers_of_persons_in_cases_are_masked() -> None:
    """Whoever forgot to leave a number out."""
    case = Case(title="退款", text="市民陈女士（13812345678）来电，预付卡200元未退。")
    texts = [getattr(block, "text", "") for block in compose(report(cases=(case,))).blocks]
    assert "市民陈女士（138****5678）来电，预付卡200元未退。" in texts


def test_a_workbook_holds_numbers_as_numbers() -> None:
    """A sheet a table; counts, percents with their format, and sentences that are no formulas."""
    data = sample_month(cases=(Case(title="=1+1", text="=2+2"),))
    book = openpyxl.load_workbook(io.BytesIO(as_xlsx(compose(data))))
    assert book.sheetnames[:4] == ["文字", "总体情况", "受理渠道", "诉求类型"]
    sheet = book["诉求类型"]
    assert [cell.value for cell in sheet[3]] == ["类型", "数量", "占比"]
    assert [cell.value for cell in sheet[4]] == ["咨询", 10914, 0.3929]
    assert (sheet["B4"].number_format, sheet["C4"].number_format) == ("#,##0", "0.00%")
    assert "来源：填报数据" in [row[0].value for row in sheet.iter_rows()]
    assert sheet.freeze_panes == "B4" and sheet["A1"].value == "表3　诉求类型"
    words = book["文字"]
    assert "=2+2" in [cell.value for cell in words["A"]]
    assert all(cell.data_type != "f" for found in book for row in found.iter_rows() for cell in row)


def cells_of(book: openpyxl.Workbook, reference: str) -> tuple[Any, ...]:
    """The values of '诉求类型'!$B$4:$B$9."""
    sheet, _, span = reference.rpartition("!")
    return tuple(cell.value for (cell,) in book[sheet.strip("'")][span.replace("$", "")])


def charts_of(sheet: Any) -> list[Any]:
    return list(sheet._charts)


def test_a_workbook_draws_its_charts_over_its_cells() -> None:
    """A pie, bars and a line, each of the cells of its table: what is changed there is drawn anew."""
    document = compose(sample_month())
    book = openpyxl.load_workbook(io.BytesIO(as_xlsx(document)))
    drawn = {sheet.title: chart for sheet in book for chart in charts_of(sheet)}
    assert {name: type(chart).__name__ for name, chart in drawn.items()} == {
        "诉求类型": "PieChart", "热点诉求前10位": "BarChart", "近6个月走势": "LineChart",
    }  # fmt: skip
    wanted = [chart for chart in document.blocks if isinstance(chart, Chart)]
    for chart, made in zip(wanted, drawn.values(), strict=True):
        (series,) = made.series
        assert cells_of(book, series.cat.strRef.f) == chart.labels
        assert cells_of(book, series.val.numRef.f) == chart.series[0].values


def test_a_chart_without_its_table_has_a_sheet_of_its_own() -> None:
    """Also where an editor took the table out; names are no formulas."""
    chart = Chart(
        "c.x", "走势", "line", ("=1+1", "乙"), (Series("甲", (1, None)), Series("乙", (3, 4))), "件"
    )
    book = openpyxl.load_workbook(io.BytesIO(as_xlsx(Document("报", "台", "月", (chart,)))))
    assert [[cell.value for cell in row] for row in book["走势"]["A3:C5"]] == [
        [None, "甲", "乙"], ["=1+1", 1, 3], ["乙", None, 4],
    ]  # fmt: skip
    assert len(charts_of(book["走势"])[0].series) == 2 and book["走势"]["A4"].data_type == "s"


def test_columns_of_a_printed_table_fit_their_figures() -> None:
    """Twelve columns, with long names: the names wrap, figures and titles of two lines do not."""
    unit = Unit(
        name="示例市人力资源和社会保障局" * 2, orders=12_345, on_time=12_345, returned=1, contacted=12_345,
        satisfied=10_000, so_so=2_000, no_opinion=45, unsatisfied=300,
    )  # fmt: skip
    found = table(compose(report(units=Units(rows=(unit,)))), "t.units")
    widths = column_widths(found, SMALL_POINTS)
    assert sum(widths) == pytest.approx(TEXT_WIDTH_POINTS)
    for at, width in enumerate(widths[1:], 1):
        figures = max(columns_wide(written(row.cells[at], found.columns[at].form)) for row in found.rows)
        assert width >= figures * SMALL_POINTS / 2 + 2 * CELL_MARGIN_POINTS
    assert Column("拨测（30%）").lines() == ["拨测", "（30%）"] and Column("（月）").lines() == ["（月）"]


def edited(data: ReportData, change: Callable[[dict[str, Any]], None]) -> Document:
    """What is rendered of a draft that somebody changed."""
    draft = json.loads(as_json(new_draft(data, MADE)))
    change(draft)
    return reviewed(read_draft(json.dumps(draft).encode(), "draft.json"))


def block_of(draft: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in draft["document"]["blocks"] if one["id"] == name)
    return found


def notes(document: Document, tone: str) -> list[str]:
    return [block.text for block in document.blocks if isinstance(block, Note) and block.tone == tone]


def test_a_draft_read_again_is_the_same_report() -> None:
    """Nothing is lost or rounded on the way through the file; its figures stand beside their formulas."""
    data = sample_month()
    draft = new_draft(data, MADE)
    assert read_draft(as_json(draft), "draft.json") == draft
    assert reviewed(draft).blocks == compose(data).blocks
    figure = json.loads(as_json(draft))["figures"][0]
    assert figure == {
        "id": "at_once_rate", "name": "当场答复率", "formula": "当场答复量 ÷ 受理量", "numerator": 20832,
        "denominator": 27776, "value": 75.0, "unit": "%",
    }  # fmt: skip


def test_an_edited_sentence_stays_as_it_was_edited() -> None:
    """And numbers in it that no table knows are told as somebody's own."""

    def change(draft: dict[str, Any]) -> None:
        block_of(draft, "p.phone")["text"] = "本月接听94,075个，其中夜间12,001个。"

    document = edited(sample_month(), change)
    assert any(
        getattr(block, "text", "") == "本月接听94,075个，其中夜间12,001个。" for block in document.blocks
    )
    assert len(notes(document, "edit")) == 1 and "数字12,001不见于" in notes(document, "edit")[0]


def test_edited_figures_are_marked_and_everything_follows_from_them() -> None:
    """The changed section is named, its table is made anew, and what no longer adds up is told."""

    def change(draft: dict[str, Any]) -> None:
        draft["data"]["channels"]["rows"][0]["count"] = 27_464

    document = edited(sample_month(), change)
    assert lines_of(table(document, "t.channels"))[0] == "电话 27,464 98.88%"
    assert notes(document, "edit") == ["人工改动——下列数据经人工修改，已重新计算和核对：受理渠道。"]
    assert notes(document, "check") == ["数据不一致——受理渠道：合计为27,776，各项相加为27,787，相差11。"]


def test_an_edited_table_is_refused() -> None:
    """With its name, and where to change the figure instead."""

    def change(draft: dict[str, Any]) -> None:
        block_of(draft, "t.types")["rows"][0]["cells"][1] = 10_915

    with pytest.raises(ConfigError, match=r"t\.types（?.*edited — change its figures under data instead"):
        edited(sample_month(), change)


def test_what_does_not_add_up_cannot_be_edited_away() -> None:
    """Notes are made anew, whatever became of them in the file; a table taken out is told of."""
    wrong = sample_month(units=None, test_calls=()).model_copy(update={"scores": ()})
    phone = wrong.phone
    assert phone is not None
    wrong = wrong.model_copy(
        update={
            "phone": phone.model_copy(update={"total": phone.total.model_copy(update={"answered": 94_076})})
        }
    )

    def change(draft: dict[str, Any]) -> None:
        kept = [
            one for one in draft["document"]["blocks"] if one["kind"] != "note" and one["id"] != "t.types"
        ]
        draft["document"]["blocks"] = kept

    document = edited(wrong, change)
    assert notes(document, "check") == ["数据不一致——专线接听：合计为94,076，各专线相加为94,075，相差1。"]
    assert notes(document, "edit") == ["人工改动——删去表格：诉求类型。"]


def test_a_final_report_says_so_and_stays_as_it_is() -> None:
    """Who made it final and when; a later change is refused."""
    final = finished(new_draft(sample_month(), MADE), "张三", MADE)
    assert reviewed(final).status == "定稿 2020-04-01 张三"
    changed = json.loads(as_json(final))
    block_of(changed, "p.phone")["text"] = "改了。"
    with pytest.raises(ConfigError, match="changed after it became final"):
        reviewed(read_draft(json.dumps(changed).encode(), "draft.json"))


def test_a_broken_draft_names_the_place() -> None:
    """The first thing that is wrong, and where."""
    draft = json.loads(as_json(new_draft(sample_month(), MADE)))
    draft["data"]["units"]["rows"][0]["orders"] = "viele"
    with pytest.raises(ConfigError, match=r"draft\.json: data\.units\.rows\[0\]\.orders: "):
        read_draft(json.dumps(draft).encode(), "draft.json")


def test_the_servers_start_does_not_wait_for_what_only_reports_need() -> None:
    """Neither the server nor the command line imports the libraries of pictures and documents."""
    heavy = ("matplotlib", "weasyprint", "docx", "openpyxl")
    asked = (
        f"import sys, hotline.server.app, hotline.server.cli; print([x for x in {heavy} if x in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
