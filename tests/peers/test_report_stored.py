"""What was imported stands in reports: of months and days, by unit, with its slips and where it came from."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from hotline.config.problems import ConfigError
from hotline.core.clock import SystemClock
from hotline.core.figures import Dimension, FigureQuestion
from hotline.metrics.imported import figures_commands
from hotline.metrics.measures.answering import Answers
from hotline.metrics.measures.summing import counting_of
from hotline.metrics.report.cli import report_commands
from hotline.store.database import sessions_of
from tests.fixtures.report_ledger import fill, open_site
from tests.fixtures.report_month import SAMPLE

UNITS = "期间,承办单位,有效工单,按时办结,满意,不满意\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data_dir with the calls of some months."""
    fill(tmp_path)
    return tmp_path


def run(commands: Any, *words: str) -> Result:
    result = CliRunner().invoke(commands, list(words))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def imported(folder: Path, name: str, text: str) -> Result:
    """What ``hotline figures import`` says of a file."""
    file = folder / name
    file.write_text(text)
    return run(figures_commands(lambda _: open_site(folder)), "import", str(file), "--site", "s")


def month(folder: Path, *words: str) -> dict[str, Any]:
    """The report of October, unless ``words`` say so without any data file."""
    out = folder / "m.json"
    called = ("month", "2026-10", "--site", "s", "--out", str(out), *words)
    run(report_commands(lambda _: open_site(folder)), *called)
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def texts(report: dict[str, Any]) -> str:
    return "\n".join(block.get("text", "") for block in report["document"]["blocks"])


def source(report: dict[str, Any], table: str) -> str:
    (found,) = [block["source"] for block in report["document"]["blocks"] if block["id"] == table]
    return str(found)


def test_an_imported_month_is_the_report_of_its_data_file(folder: Path) -> None:
    """Every section of the file as if it were given, its slips printed again, and the file named."""
    slip = "受理渠道：合计为27,776，各项相加为27,777，相差1"
    text = (
        SAMPLE.read_text().replace("period: 2020-03", "period: 2026-10").replace("count: 167", "count: 168")
    )
    said = imported(folder, "orders.yaml", text)
    assert said.stderr == f"does not add up: {slip} (2026-10)\n"
    report = month(folder)
    assert report["disagreements"] == [slip]
    assert "本月共受理诉求27,776件，环比上升17.00%" in texts(report)
    assert "按时办结率最高的为示例甲区、示例人社局（100.00%），最低的为示例城管局（93.75%）" in texts(report)
    assert source(report, "t.units").startswith("来源：填报数据（orders.yaml，20")
    scored = [block["id"] for block in report["document"]["blocks"] if block["id"].startswith("t.scores")]
    assert scored, "the ranking of the file, too"


def test_days_by_unit_are_added_up_and_missing_ones_are_named(folder: Path) -> None:
    """From one CSV file, with the best and the slowest unit; the month's counts are their sums."""
    days = [f"2026-10-{day:02}" for day in range(1, 32) if day not in (3, 4, 9)]
    rows = "".join(f"{day},市水务局,10,10,3,1\n{day},市城管局,5,4,1,1\n" for day in days)
    imported(folder, "units.csv", UNITS + rows)
    report = month(folder)
    assert [(one["name"], one["orders"], one["on_time"]) for one in report["data"]["units"]["rows"]] == [
        ("市水务局", 280, 280),
        ("市城管局", 140, 112),
    ]
    assert "按时办结率最高的为市水务局（100.00%），最低的为市城管局（80.00%）" in texts(report)
    assert report["disagreements"] == ["导入数据：承办单位缺10月3日至10月4日、10月9日"]
    assert source(report, "t.units").startswith("来源：填报数据，由各日、各周的数据相加（units.csv，")


def test_what_is_not_whole_is_not_compared(folder: Path) -> None:
    """Fewer days than the month before had would look like a fall."""
    days = "".join(f"2026-09-{day:02},10\n" for day in range(1, 31))
    imported(folder, "9.csv", f"期间,受理量\n{days}")
    imported(folder, "10.csv", f"期间,受理量\n{days.replace('-09-', '-10-')}")
    accepted = month(folder)["data"]["accepted"]
    assert (accepted["total"], accepted["previous"]) == (300, None)
    imported(folder, "31.csv", "期间,受理量\n2026-10-31,20\n")
    report = month(folder)
    assert (report["data"]["accepted"]["total"], report["data"]["accepted"]["previous"]) == (320, 300)
    assert source(report, "t.trend") == "来源：系统通话台账（受理量为填报数据）"


def test_earlier_imports_are_what_a_month_is_compared_with(folder: Path) -> None:
    """Where the file itself does not say; where it says otherwise, that is printed."""
    imported(folder, "9.csv", "期间,受理量,转派\n2026-09,80,20\n")
    imported(folder, "9c.csv", "期间,渠道,数量\n2026-09,电话,70\n2026-09,微信,10\n")
    imported(folder, "10.csv", "期间,受理量,转派,上期受理量\n2026-10,100,30,81\n")
    imported(folder, "10c.csv", "期间,渠道,数量\n2026-10,电话,80\n2026-10,微信,20\n")
    report = month(folder)
    assert "转派承办单位30件，环比上升50.00%" in texts(report)
    rows = {row["name"]: row["previous"] for row in report["data"]["channels"]["rows"]}
    assert rows == {"电话": 70, "微信": 10}
    assert report["disagreements"] == [
        "导入数据：受理情况：填报的上期为81，上期导入的数据为80",
        "走势：2026-09受理量为80，报告他处为81",
    ]
    trend = {point["name"]: point["accepted"] for point in report["data"]["trend"]}
    assert (trend["2026-09"], trend["2026-10"]) == (80, 100)


def test_a_data_file_that_is_given_comes_first(folder: Path) -> None:
    """Its sections in the place of those imported for the period, beside the earlier ones, and the others."""
    imported(folder, "9.csv", "期间,受理量\n2026-09,80\n")
    imported(folder, "10.csv", "期间,受理量\n2026-10,100\n")
    imported(folder, "10c.csv", "期间,渠道,数量\n2026-10,电话,120\n")
    (folder / "given.csv").write_text("期间,受理量\n2026-10,120\n")
    report = month(folder, "--data", str(folder / "given.csv"))
    accepted = report["data"]["accepted"]
    assert (accepted["total"], accepted["previous"]) == (120, 80) and report["disagreements"] == []
    assert source(report, "t.channels").startswith("来源：填报数据（10c.csv，")
    assert report["data"]["origins"].keys() == {"channels", "trend"}


def test_a_file_is_taken_wholly_or_not_at_all(folder: Path) -> None:
    """A mistake in its last line leaves what was there; a file again takes the place of its former self."""
    imported(folder, "o.csv", "期间,受理量\n2026-10,100\n")
    with pytest.raises(ConfigError, match=r"line 3, column 受理量"):
        imported(folder, "o.csv", "期间,受理量\n2026-10,50\n2026-11,many\n")
    assert month(folder)["data"]["accepted"]["total"] == 100
    imported(folder, "u.csv", UNITS + "2026-10,市水务局,10,10,3,1\n")
    found = month(folder)["data"]
    assert found["accepted"]["total"] == 100 and len(found["units"]["rows"]) == 1, "both files"
    imported(folder, "o.csv", "期间,渠道,数量\n2026-10,电话,70\n")
    found = month(folder)["data"]
    assert found["accepted"] is None and found["channels"] is not None and found["units"] is not None


async def test_figures_by_unit(tmp_path: Path) -> None:
    """Each unit's rate, and all of them together, over the counts of the same files."""
    rows = "2026-10,市水务局,10,10,3,1\n2026-10,市城管局,30,15,1,1\n"
    await asyncio.to_thread(imported, tmp_path, "u.csv", UNITS + rows)
    site, engine = open_site(tmp_path)
    answers = Answers(site, counting_of(site, sessions_of(engine)), SystemClock())
    question = FigureQuestion(
        "units_on_time_rate", *answers.period("2026-10-01", "2026-10-31"), by=Dimension.UNIT
    )
    found = await answers.answer(question)
    await engine.dispose()
    assert {one.name: one.points[0].figure.text for one in found.groups} == {
        "市水务局": "100.00 %",
        "市城管局": "50.00 %",
    }
    assert found.total.points[0].figure.text == "62.50 %"
