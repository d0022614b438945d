"""Data files: the same figures from YAML and from a workbook, and every mistake with its place."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from hotline.config.problems import ConfigError
from hotline.core.errors import UsageError
from hotline.metrics.report.data import FileSection, Span
from hotline.metrics.report.imported import read_data
from hotline.metrics.report.periods import before, leading_to, period_of
from hotline.metrics.report.sheets import SHEETS
from tests.fixtures.report_month import SAMPLE


def written(folder: Path, text: str) -> Path:
    file = folder / "month.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def workbook(folder: Path, **sheets: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in ({"报告": [["期间", "2020-03"]]} | sheets).items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    file = folder / "month.xlsx"
    book.save(file)
    return file


def test_the_sample_holds_every_section() -> None:
    """Whoever copies it sees all there is."""
    found = read_data(SAMPLE)
    assert all(getattr(found, name) for name in FileSection.model_fields)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("period: 2020-03\ntypos: {}", r'month\.yaml:2: typos: unknown key "typos" — did you mean "types"\?'),
        ("period: 2020-03\nunits:\n  rows:\n    - {name: 甲, orders: 1,234}", r"month\.yaml:4: "),
        ("period: 2020-03\nunits:\n  rows:\n    - {name: 甲}", r'month\.yaml:4: .*"orders" is missing'),
        ("period: 2020-03\nunits: {rows: [{name: 甲, orders: -1}]}", r"month\.yaml:2: .*must be at least 0"),
        ("units: {rows: []}", r'"period" is missing — every file needs it'),
        (
            "period: 2020-03\nseats:\n  - {name: 甲, count: 1}\n  - {name: 甲, count: 2}",
            r'month\.yaml:4: seats\[1\]\.name: "甲" is given twice — keep one of them',
        ),
        ("- 1", "a data file is made of sections"),
    ],
)
def test_mistakes_in_yaml_are_told_with_line_and_remedy(tmp_path: Path, text: str, said: str) -> None:
    """One line, the first mistake."""
    with pytest.raises(ConfigError, match=said):
        read_data(written(tmp_path, text))


def test_files_that_are_none(tmp_path: Path) -> None:
    """Missing, of another kind, or no workbook whatever the name says."""
    with pytest.raises(ConfigError, match="there is no such file"):
        read_data(tmp_path / "no.yaml")
    with pytest.raises(UsageError, match=r"a data file is \.yaml, \.xlsx or \.csv"):
        read_data(tmp_path / "month.txt")
    (tmp_path / "month.xlsx").write_text("name;count")
    with pytest.raises(ConfigError, match="this is no Excel workbook"):
        read_data(tmp_path / "month.xlsx")


def test_a_workbook_gives_the_same_as_yaml(tmp_path: Path) -> None:
    """Lists, totals, sections of two columns, the tree of lines, groups of scores."""
    file = workbook(
        tmp_path,
        受理=[["项目", "数值"], ["受理量", 27776], ["当场答复", 20832]],
        类型=[["名称", "数量", "占比"], ["咨询", 10914, 39.29], ["求助", 9881, None], ["合计", 27776, None]],
        专线=[["专线", "名称", "上级", "接听量"], ["12315", "市场监管局", None, 250],
            ["12358", "原物价", "12315", 184],
            ["合计", None, None, 300]],
        承办单位=[["承办单位", "有效工单", "按时办结"], ["甲", 10.0, 9], ["合计", 11, 9]],
        考核=[["名次", "分中心", "工单办理", "总分"], [1, "甲", 7.05, 7.05]],
    )  # fmt: skip
    same = """
        period: 2020-03
        accepted: {total: 27776, at_once: 20832}
        types: {total: 27776, rows: [{name: 咨询, count: 10914, percent: 39.29}, {name: 求助, count: 9881}]}
        phone:
          total: {answered: 300}
          lines:
            - label: "12315"
              name: 市场监管局
              answered: 250
              lines: [{label: "12358", name: 原物价, answered: 184}]
        units: {rows: [{name: 甲, orders: 10, on_time: 9}], total: {orders: 11, on_time: 9}}
        scores: [{rank: 1, name: 甲, groups: {工单办理: 7.05}, total: 7.05}]
    """
    assert read_data(file) == read_data(written(tmp_path, same))


def test_a_percent_of_a_workbook_is_what_it_shows(tmp_path: Path) -> None:
    """Excel keeps 39.29% as 0.3929; a plain 39.29 is taken as it stands."""
    file = workbook(
        tmp_path, 类型=[["名称", "数量", "占比", "环比"], ["咨询", 11, 0.3929, -0.1], ["求助", 17, 60.71, 5]]
    )
    book = openpyxl.load_workbook(file)
    book["类型"]["C2"].number_format, book["类型"]["D2"].number_format = "0.00%", "+0.00%;-0.00%"
    book.save(file)
    types = read_data(file).types
    assert types is not None
    assert [(row.percent, row.change) for row in types.rows] == [(39.29, -10), (60.71, 5)]


def test_mistakes_in_a_workbook_are_told_with_sheet_and_cell(tmp_path: Path) -> None:
    """A figure that is none, a heading and a sheet that no report knows."""
    wrong = workbook(tmp_path, 承办单位=[["承办单位", "有效工单"], ["甲", 10], ["乙", "十二"]])
    with pytest.raises(ConfigError, match=r'month\.xlsx: 承办单位!B3: .*"十二" is not a whole number'):
        read_data(wrong)
    wrong = workbook(tmp_path, 承办单位=[["承办单位", "有效工但"]])
    with pytest.raises(
        ConfigError, match=r'承办单位!B1: unknown heading 有效工但 — did you mean "有效工单"\?'
    ):
        read_data(wrong)
    twice = workbook(tmp_path, 承办单位=[["承办单位", "有效工单", "有效工单"], ["甲", 1, 2]])
    with pytest.raises(ConfigError, match="承办单位!C1: 有效工单 is given twice"):
        read_data(twice)
    orphan = workbook(tmp_path, 专线=[["专线", "上级", "接听量"], ["12358", "12315", 1], ["合计", None, 1]])
    with pytest.raises(ConfigError, match="专线!A2: there is no line 12315"):
        read_data(orphan)
    with pytest.raises(ConfigError, match=r'unknown sheet 承办单们 — did you mean "承办单位"\?'):
        read_data(workbook(tmp_path, 承办单们=[["甲"]]))


def test_every_column_of_a_workbook_is_a_figure_of_reports() -> None:
    """No name leads nowhere: a row of each sheet with all its columns is taken."""
    known = {name for sheet in SHEETS.values() for name in (sheet.columns or sheet.items or {}).values()}
    assert {"name", "count", "orders", "answered", "rank", "period"} <= known


def test_periods_and_those_before_them() -> None:
    """Months over the year's end, ISO weeks."""
    month, week = period_of(Span.MONTH, "2026-01"), period_of(Span.WEEK, "2026-W53")
    assert (before(month).name, leading_to(month)[0].name) == ("2025-12", "2025-08")
    assert (str(week.start), str(week.last), before(week).name) == ("2026-12-28", "2027-01-03", "2026-W52")


@pytest.mark.parametrize(
    ("span", "name"),
    [(Span.MONTH, "2026-13"), (Span.MONTH, "2026-1"), (Span.WEEK, "2025-W53"), (Span.DAY, "2026-02-30")],
)
def test_periods_that_never_were(span: Span, name: str) -> None:
    """Refused with an example."""
    with pytest.raises(UsageError, match=f"not a {span.value}: {name} — write it like"):
        period_of(span, name)
