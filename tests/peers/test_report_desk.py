"""Reports as supervisors work on them: made when asked for, edited, made final, fetched as they say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hotline.config.reporting import BY_HAND
from hotline.config.samples import path as sample
from hotline.core.clock import ManualClock
from hotline.core.errors import IllegalState, UsageError
from hotline.core.reports import ReportContent, ReportOrder, ReportState, ReportTable, ReportText
from hotline.metrics.report.desk import ReportDesk
from tests.fixtures.console import running_console
from tests.fixtures.report_ledger import fill, open_site

NOW = datetime(2026, 11, 5, 1, tzinfo=UTC)  # nine o'clock in Shanghai
OCTOBER = ReportOrder("month", "2026-10")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data_dir with calls."""
    folder = tmp_path_factory.mktemp("data")
    fill(folder)
    return folder


@pytest.fixture
async def desk(filled: Path) -> AsyncIterator[ReportDesk]:
    """A desk at work."""
    site, engine = open_site(filled)
    await engine.dispose()
    desk = ReportDesk(site, f"sqlite+aiosqlite:///{filled}/hotline.db", ManualClock(NOW))
    running = asyncio.create_task(desk.run())
    yield desk
    running.cancel()
    await asyncio.wait({running})


async def made(desk: ReportDesk) -> str | None:
    """Wait until nothing is being made: nobody is told, pages ask again. Why it failed, if it did."""
    async with asyncio.timeout(60):
        while True:
            making = (await desk.reports()).making
            if making is None or making.failed is not None:
                return None if making is None else making.failed
            await asyncio.sleep(0.1)


def words(content: ReportContent, name: str) -> ReportText:
    """A text of a report."""
    (found,) = [block for block in content.blocks if isinstance(block, ReportText) and block.id == name]
    return found


async def read(desk: ReportDesk, period: str = "2026-10") -> ReportContent:
    """What a report made by hand says."""
    content = await desk.content(BY_HAND, period)
    assert content is not None
    return content


async def test_a_report_is_made_edited_made_final_and_fetched(desk: ReportDesk, filled: Path) -> None:
    """A file has the words of its draft; two who edit do not overwrite each other; final is final."""
    making = await desk.begin(OCTOBER)
    with pytest.raises(IllegalState) as busy:
        await desk.begin(ReportOrder("day", "2026-10-05"))
    assert (making.name, making.period, busy.value.code) == (BY_HAND, "2026-10", "busy")
    assert await made(desk) is None
    (head,) = [one for one in (await desk.reports()).reports if one.period == "2026-10"]
    assert (head.state, head.disagreements, head.formats[-1]) == (ReportState.DRAFT, 0, "json")

    content = await read(desk)
    assert "8" in words(content, "p.phone").text and content.disagreements == ()
    lines = next(block for block in content.blocks if isinstance(block, ReportTable))
    assert all(len(row.cells) == len(lines.columns) == len(lines.words) for row in lines.rows)

    remark = {lines.rows[0].id: "含夜间"}
    said = await desk.edit(BY_HAND, "2026-10", content.revision, remark)
    assert said is not None
    lines = next(block for block in said.blocks if isinstance(block, ReportTable))
    assert lines.rows[0].remark == "含夜间" and len(lines.rows[0].cells) == len(lines.columns)
    content = said
    edited = await desk.edit(BY_HAND, "2026-10", content.revision, {"p.phone": "本月共接听8通，平稳有序。"})
    assert edited is not None and words(edited, "p.phone").edited and edited.revision != content.revision
    with pytest.raises(IllegalState) as stale:
        await desk.edit(BY_HAND, "2026-10", content.revision, {"p.phone": "别的"})
    assert stale.value.code == "stale"
    with pytest.raises(UsageError, match="has no text"):
        await desk.edit(BY_HAND, "2026-10", edited.revision, {"p.none": "x"})
    file = await desk.file(BY_HAND, "2026-10.html")
    assert file is not None and "平稳有序" in file.read_text() and "含夜间" in file.read_text()
    first = file.stat().st_mtime_ns
    assert await desk.file(BY_HAND, "2026-10.html") == file and file.stat().st_mtime_ns == first, "as it is"
    as_made = await desk.edit(BY_HAND, "2026-10", edited.revision, {"p.phone": None})
    assert as_made is not None and words(as_made, "p.phone") == words(content, "p.phone")

    with pytest.raises(IllegalState) as exists:
        await desk.begin(OCTOBER)
    assert exists.value.code == "report_exists"
    final = await desk.finish(BY_HAND, "2026-10", as_made.revision, "林班长")
    assert final is not None and final.head.state is ReportState.FINAL and final.head.final_by == "林班长"
    file = await desk.file(BY_HAND, "2026-10.html")
    assert file is not None and "定稿" in file.read_text() and "平稳有序" not in file.read_text()
    for change in (
        desk.edit(BY_HAND, "2026-10", final.revision, {"p.phone": "x"}),
        desk.begin(ReportOrder("month", "2026-10", again=True)),
    ):
        with pytest.raises(IllegalState) as refused:
            await change
        assert refused.value.code == "report_final"


async def test_what_cannot_be_made_says_why(desk: ReportDesk) -> None:
    """No such period, one that has not begun, a topic of nothing; a special of words nobody said is made."""
    for order, says in (
        (ReportOrder("month", "2026-13"), "not a month"),
        (ReportOrder("day", "2026-11-06"), "not begun"),
        (ReportOrder("topic", "2026-10-01", "2026-10-31", " "), "words"),
        (ReportOrder("topic", "2026-10-31", "2026-10-01", "停水"), "no period"),
    ):
        with pytest.raises(UsageError, match=says):
            await desk.begin(order)
    making = await desk.begin(ReportOrder("topic", "2026-10-01", "2026-10-31", "停水"))
    assert making.period.startswith("topic-2026-10-01-2026-10-31-")
    assert await made(desk) is None
    assert "停水" in (await read(desk, making.period)).head.title
    assert await desk.file(BY_HAND, "2026-10-05.pdf") is None


async def test_figures_of_sub_centres_are_given_along(desk: ReportDesk) -> None:
    """The ranking stands in the report; a mistake in them is told with its line, and nothing is made."""
    figures = sample("demo").with_name("score.yaml").read_text()
    await desk.begin(ReportOrder("week", "2026-W41", scores=figures))
    assert await made(desk) is None
    tables = [block.id for block in (await read(desk, "2026-W41")).blocks if isinstance(block, ReportTable)]
    assert "t.scores" in tables
    await desk.begin(ReportOrder("week", "2026-W40", scores=figures.replace("name:", "nome:", 1)))
    failed = await made(desk)
    assert failed is not None and "scores.yaml:" in failed and "/scores.yaml" not in failed
    assert await desk.content(BY_HAND, "2026-W40") is None


async def test_supervisors_work_on_reports_over_http(desk: ReportDesk, tmp_path: Path) -> None:
    """Agents may not; every change stands in the audit log with who made it."""
    async with running_console(tmp_path, reports=desk) as console:
        chief, zhang = await console.user("chief", "supervisor"), await console.user("zhang", agent="a1")
        order = {"what": "day", "period": "2026-10-05"}
        assert (await zhang.post("/api/reports", json=order)).status_code == 403
        assert (await chief.post("/api/reports", json=order | {"period": "2026-10"})).status_code == 400
        assert (await chief.post("/api/reports", json=order)).status_code == 202
        again = await chief.post("/api/reports", json=order)
        assert (again.status_code, again.json()["error"]["code"]) == (409, "busy")
        assert await made(desk) is None
        path = "/api/reports/by-hand/2026-10-05"
        content = (await chief.get(f"{path}/content")).json()
        texts = [block["id"] for block in content["blocks"] if block["kind"] == "text" and not block["level"]]
        body = {"revision": content["revision"], "texts": {texts[0]: "当日平稳。"}}
        assert (await zhang.put(f"{path}/texts", json=body)).status_code == 403
        edited = await chief.put(f"{path}/texts", json=body)
        assert edited.status_code == 200 and "当日平稳。" in edited.text
        assert (await chief.put(f"{path}/texts", json=body)).json()["error"]["code"] == "stale"
        final = await chief.post(f"{path}/final", json={"revision": edited.json()["revision"]})
        assert final.json()["head"]["state"] == "final", final.text
        got = await chief.get(f"{path}.html")
        assert "当日平稳。" in got.text and "定稿" in got.text
        for missing in ("by-hand/2026-10-06/content", "..%2F../2026-10-05/content"):
            assert (await chief.get(f"/api/reports/{missing}")).status_code == 404
        done = [row.action for row in await console.audit.recent()]
        assert {"report_make", "report_edit", "report_final", "report_download"} <= set(done)
