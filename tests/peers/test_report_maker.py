"""Scheduled reports: made once, by a process of their own, also after a restart; failures are tried again."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest

from hotline.config.alerting import AlertsSection, Webhook
from hotline.config.reporting import ReportFormat, ReportsSection, ScheduledReport
from hotline.config.samples import path as sample
from hotline.config.schema import Site
from hotline.config.secrets import Secrets
from hotline.core.clock import ManualClock
from hotline.metrics.report.desk import ReportDesk
from hotline.metrics.report.maker import LAST_RETRY_SECONDS, ReportMaker
from hotline.store.report_shelf import ReportShelf
from tests.fixtures.receiver import answer, receiving
from tests.fixtures.report_ledger import fill, open_site

NOW = datetime(2026, 11, 5, 1, tzinfo=UTC)  # nine o'clock in Shanghai
MONTHLY = ScheduledReport(name="monthly", what="month", formats=(ReportFormat.JSON, ReportFormat.XLSX))


def site_of(folder: Path, *schedule: ScheduledReport, hooks: tuple[Webhook, ...] = ()) -> Site:
    site, _ = open_site(folder)
    reports, alerts = ReportsSection(schedule=schedule), AlertsSection(webhooks=hooks)
    return site.model_copy(update={"reports": reports, "alerts": alerts})


def maker(
    folder: Path, clock: ManualClock, *schedule: ScheduledReport, hooks: tuple[Webhook, ...] = ()
) -> ReportMaker:
    site = site_of(folder, *schedule, hooks=hooks)
    return ReportMaker(site, f"sqlite+aiosqlite:///{folder}/hotline.db", Secrets(folder), clock)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data_dir with calls."""
    folder = tmp_path_factory.mktemp("data")
    fill(folder)
    return folder


async def test_a_report_is_made_once_and_handed_over(filled: Path, tmp_path: Path) -> None:
    """Both files, ranking included, the command with their paths; another run or server finds it done."""
    told = filled / "told.txt"
    hand = f"import sys; open({str(told)!r}, 'a').write(' '.join(sys.argv[1:]) + chr(10))"
    (tmp_path / "2026-10.scores.yaml").write_text(sample("demo").with_name("score.yaml").read_text())
    report = MONTHLY.model_copy(update={"command": (sys.executable, "-c", hand), "data": tmp_path})
    clock = ManualClock(NOW)
    await maker(filled, clock, report).make_due()
    files = [filled / "reports" / "monthly" / f"2026-10.{form}" for form in ("json", "xlsx")]
    figures = json.loads(files[0].read_text())["data"]
    assert figures["phone"]["total"]["answered"] == 8
    assert {"name": "湘乡市", "total": 87.27}.items() <= figures["scores"][1].items()
    assert told.read_text() == f"{files[0]} {files[1]}\n"
    before = [file.stat().st_mtime_ns for file in files]
    clock.advance(86_400)
    await maker(filled, clock, report).make_due()
    assert [file.stat().st_mtime_ns for file in files] == before and told.read_text().count("\n") == 1
    assert {(one.name, one.period, one.format) for one in ReportShelf(filled).made()} == {
        ("monthly", "2026-10", "json"), ("monthly", "2026-10", "xlsx"),
    }  # fmt: skip


async def test_a_failure_is_told_and_tried_again_and_holds_up_no_other(
    filled: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A data file with a mistake: the other report is made; mended, this one is too, after a pause."""
    data = filled / "data"
    data.mkdir()
    (data / "2026-10.yaml").write_text("period: 2026-10\nunits: {rows: [{name: 甲}]}")
    broken = ScheduledReport(name="broken", what="month", formats=(ReportFormat.JSON,), data=data)
    other = ScheduledReport(name="other", what="day", formats=(ReportFormat.JSON,))
    clock = ManualClock(NOW)
    made = maker(filled, clock, broken, other)
    await made.make_due()
    shelf = ReportShelf(filled)
    assert shelf.done("broken", "2026-10") is None and shelf.done("other", "2026-11-04") is not None
    assert "ended with 1: " in caplog.text and '"orders" is missing' in caplog.text
    (data / "2026-10.yaml").write_text("period: 2026-10\nunits: {rows: [{name: 甲, orders: 7}]}")
    await made.make_due()
    assert shelf.done("broken", "2026-10") is None  # not yet
    clock.advance(LAST_RETRY_SECONDS)
    await made.make_due()
    assert shelf.done("broken", "2026-10") is not None


async def test_a_command_that_fails_is_run_again_and_the_report_is_not_made_again(filled: Path) -> None:
    """Only what is left to do is done."""
    flag = filled / "receiver-is-up"
    ask = f"import os, sys; sys.exit(0 if os.path.exists({str(flag)!r}) else 3)"
    report = MONTHLY.model_copy(update={"name": "handed", "command": (sys.executable, "-c", ask)})
    clock = ManualClock(NOW)
    made = maker(filled, clock, report)
    await made.make_due()
    shelf = ReportShelf(filled)
    done = shelf.done("handed", "2026-10")
    assert done is not None and not done.handed
    file = filled / "reports" / "handed" / "2026-10.json"
    before = file.stat().st_mtime_ns
    flag.touch()
    clock.advance(LAST_RETRY_SECONDS)
    await made.make_due()
    done = shelf.done("handed", "2026-10")
    assert done is not None and done.handed and file.stat().st_mtime_ns == before


async def test_a_webhook_is_told_until_it_takes_it(filled: Path) -> None:
    """Which report, and where its files are fetched; signed; once it has answered well, no more."""
    report = MONTHLY.model_copy(update={"name": "told", "webhook": "office"})
    clock = ManualClock(NOW)
    async with receiving(answer(500)) as receiver:
        made = maker(filled, clock, report, hooks=(Webhook(name="office", url=receiver.url),))
        for _ in range(3):
            await made.make_due()
            clock.advance(LAST_RETRY_SECONDS)
        refused, taken = await receiver.posts.get(), await receiver.posts.get()
        assert receiver.posts.empty()
    assert {"x-hotline-signature", "x-hotline-timestamp"} <= taken[0].keys()
    told = json.loads(taken[1])
    assert (told["event"], told["name"], told["period"]) == ("report", "told", "2026-10")
    assert told["files"] == ["/api/reports/told/2026-10.json", "/api/reports/told/2026-10.xlsx"]
    assert json.loads(refused[1])["files"] == told["files"]


async def test_what_somebody_made_final_is_handed_over_as_that(filled: Path) -> None:
    """Once, edited as it is, by the hook and the command of the draft, however often that is tried."""
    said = filled / "said.txt"
    hand = f"import os; open({str(said)!r}, 'a').write(os.environ['HOTLINE_REPORT'] + chr(10))"
    report = MONTHLY.model_copy(
        update={"name": "final", "webhook": "office", "command": (sys.executable, "-c", hand)}
    )
    clock = ManualClock(NOW)
    async with receiving(answer(200), answer(500)) as receiver:
        hooks = (Webhook(name="office", url=receiver.url),)
        made = maker(filled, clock, report, hooks=hooks)
        await made.make_due()
        draft = json.loads((await receiver.posts.get())[1])
        assert (draft["final"], draft["final_by"]) == (False, None)

        desk = ReportDesk(site_of(filled, report), "", clock)
        seen = await desk.content("final", "2026-10")
        assert seen is not None
        edited = await desk.edit("final", "2026-10", seen.revision, {"p.phone": "十月平稳。"})
        assert edited is not None
        await made.make_due()
        assert receiver.posts.empty(), "not yet final"
        assert await desk.finish("final", "2026-10", edited.revision, "林班长") is not None
        for _ in range(3):
            await made.make_due()
            clock.advance(LAST_RETRY_SECONDS)
        refused, taken = await receiver.posts.get(), await receiver.posts.get()
        assert receiver.posts.empty()
    told = json.loads(taken[1])
    assert (told["name"], told["period"], told["final"], told["final_by"]) == (
        "final",
        "2026-10",
        True,
        "林班长",
    )
    assert json.loads(refused[1])["final"] is True
    assert said.read_text().split() == ["draft", "final", "final"], "the command was run again with the hook"
    book = openpyxl.load_workbook(filled / "reports" / "final" / "2026-10.xlsx")
    words = [str(row[0].value) for row in book["文字"].iter_rows()]
    assert "十月平稳。" in words and any("林班长" in one for one in words)


def test_what_a_power_cut_left_half_done_is_not_on_the_shelf(tmp_path: Path) -> None:
    """Neither a file without its mark, nor a damaged mark, nor a path that leads elsewhere."""
    shelf = ReportShelf(tmp_path)
    (shelf.folder("monthly") / "2026-10.pdf").write_bytes(b"%PDF")
    (shelf.folder("monthly") / "2026-09.done").write_text("{")
    (tmp_path / "secret.json").write_text("{}")
    assert shelf.made() == [] and shelf.done("monthly", "2026-09") is None
    assert shelf.file("monthly", "2026-10.pdf") is None
    assert shelf.file("..", "secret.json") is None and shelf.file("monthly", "../../secret.json") is None
