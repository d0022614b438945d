"""Figures taken away as files, and views of them kept under a name, over HTTP."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hotline.agent_console.figure_files import FigureTable, TableKind, as_csv, as_xlsx, file_name
from hotline.core.errors import TookTooLong
from hotline.core.figures import (
    Better,
    Dimension,
    Figure,
    FigureAnswer,
    FigureQuestion,
    MeasureInfo,
    MeasureUnit,
    Point,
    Series,
)
from hotline.store.counting import Counting
from tests.fixtures.console import ConsoleUnderTest, running_console, store_call

DAY = "from=2026-11-02&to=2026-11-02"
EXPORT = f"/api/figures/export?measure=answer_rate&{DAY}&by=line&grain=hour&compare=before"


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[ConsoleUnderTest]:
    async with running_console(tmp_path) as running:
        await store_call(running, "c1", "a1")
        await store_call(running, "c2", None)
        yield running


async def test_figures_as_a_file_that_excel_reads(console: ConsoleUnderTest) -> None:
    """The whole and the parts, everything and each line, both counts; recorded; for supervisors."""
    chief = await console.user("chief", "supervisor")
    answer = await chief.get(EXPORT)
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert "answer_rate.csv" in answer.headers["Content-Disposition"]
    head, whole, *others = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert head[3:] == ["分组", "接通率 (%)", "人工接听量", "已离队", "上期", "环比 (百分点)"]
    assert whole == ["全期", "2026-11-02 00:00", "2026-11-03 00:00", "合计", "50.00", "1", "2", "", ""]
    assert ["小时", "2026-11-02 09:00", "2026-11-02 10:00", "合计", "50.00", "1", "2", "", ""] in others
    assert {row[3] for row in others} == {"合计", "政务服务便民热线", "市场监管"}
    (row,) = [row for row in await console.audit.recent() if row.action == "export_figures"]
    assert (row.user, row.subject, row.detail) == ("chief", "answer_rate", "2026-11-02 2026-11-02 csv")
    agent = await console.user("zhang", agent="a1")
    assert (await agent.get(EXPORT)).status_code == 403
    assert (await chief.get(f"{EXPORT}&format=pdf")).status_code == 400


async def test_figures_that_take_too_long(console: ConsoleUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page gets a word that it has a text for, and whoever calls the API what to ask instead."""

    async def given_up(*_: object) -> None:
        raise TookTooLong("counting this took longer", hint="ask for whole days", code="counted_from_rows")

    monkeypatch.setattr(Counting, "tallies", given_up)
    chief = await console.user("chief", "supervisor")
    answer = await chief.get(f"/api/figures/query?measure=answer_rate&{DAY}&by=agent&grain=hour")
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "counted_from_rows"
    assert answer.json()["error"]["hint"] == "ask for whole days"


async def test_figures_as_a_workbook(console: ConsoleUnderTest) -> None:
    """Numbers are numbers, times are times, and a sheet says what they are."""
    openpyxl = pytest.importorskip("openpyxl")
    chief = await console.user("chief", "supervisor")
    book = openpyxl.load_workbook(io.BytesIO((await chief.get(f"{EXPORT}&format=xlsx")).content))
    row = [cell.value for cell in book["figures"][2]]
    assert row[:7] == ["全期", datetime(2026, 11, 2), datetime(2026, 11, 3), "合计", 50, 1, 2]
    assert book["说明"]["B1"].value == "接通率 ＝ 人工接听量 / 已离队"
    said = [[cell.value for cell in row] for row in book["说明"].iter_rows()]
    day = "2026-11-02 00:00 – 2026-11-03 00:00"
    assert ["环比", f"{day} ↔ 2026-11-01 00:00 – 2026-11-02 00:00"] in said


def table_of(name: str) -> FigureTable:
    """One figure of a group of this name."""
    measure = MeasureInfo(
        "asa", "平均应答速度", "asa", MeasureUnit.SECONDS, "等待 / 接听", "wait / answered", "", "",
        Better.LOWER, 15.0, ("wait_ms",), ("answered",),
    )  # fmt: skip
    start, end = datetime(2026, 10, 31, 16, tzinfo=UTC), datetime(2026, 11, 2, 16, tzinfo=UTC)
    point = Point(start, end, Figure(12_345, 2, Decimal("6.17"), "6.17 s"))
    question = FigureQuestion("asa", start, end, by=Dimension.AGENT)
    total = Series("total", "站点", (point,))
    answer = FigureAnswer(measure, question, total, (replace(total, key="a1", name=name),))
    return FigureTable(answer, None, ZoneInfo("Asia/Shanghai"), english=False)


def test_sums_of_times_are_seconds_and_the_file_is_named_by_its_days() -> None:
    """12,345 ms are 12.345 s; the last day is the last one counted."""
    table = table_of("张三")
    assert "全期,2026-11-01 00:00,2026-11-03 00:00,张三,6.17,12.345,2" in as_csv(table).decode()
    assert file_name(table, TableKind.CSV) == "平均应答速度-20261101-20261102.csv"


def test_a_name_is_never_reckoned_by_a_spreadsheet() -> None:
    """A group that is called like a formula stays a text, in both kinds of files."""
    table = table_of("=1+1")
    assert ",'=1+1," in as_csv(table).decode()
    openpyxl = pytest.importorskip("openpyxl")
    cell = openpyxl.load_workbook(io.BytesIO(as_xlsx(table)))["figures"]["D3"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")


async def test_views_are_kept_for_the_one_who_saved_them(console: ConsoleUnderTest) -> None:
    """Under a name, in place of the one that had it; others have their own; agents none."""
    chief, other = await console.user("chief", "supervisor"), await console.user("deputy", "supervisor")
    for query in ("measure=asa", "measure=asa&by=agent"):
        answer = await chief.put("/api/figures/views", json={"name": "早会 / 用", "query": query})
        assert answer.status_code == 204, answer.text
    (view,) = (await chief.get("/api/figures/views")).json()["views"]
    assert (view["name"], view["query"]) == ("早会 / 用", "measure=asa&by=agent")
    assert (await other.get("/api/figures/views")).json()["views"] == []
    await other.delete("/api/figures/views", params={"name": "早会 / 用"})
    assert len((await chief.get("/api/figures/views")).json()["views"]) == 1
    await chief.delete("/api/figures/views", params={"name": "早会 / 用"})
    assert (await chief.get("/api/figures/views")).json()["views"] == []
    agent = await console.user("zhang", agent="a1")
    assert (await agent.get("/api/figures/views")).status_code == 403


async def test_there_is_an_end_to_the_views_of_one_user(console: ConsoleUnderTest) -> None:
    """The fifty-first is refused; one of the fifty may still be changed."""
    chief = await console.user("chief", "supervisor")
    codes = [
        (await chief.put("/api/figures/views", json={"name": f"v{n}", "query": "measure=asa"})).status_code
        for n in [*range(51), 7]
    ]
    assert codes == [204] * 50 + [409, 204]
