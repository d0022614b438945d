"""The ranking of sub-centres, from listeners' marks and reported rates to the cells of the report."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from hotline.config.problems import ConfigError
from hotline.config.samples import path as sample
from hotline.core.errors import UsageError
from hotline.core.trials import TrialCall, TrialMarks, TrialOrder, TrialResult
from hotline.metrics.report.cli import report_commands
from hotline.metrics.scoring.cli import score_command
from hotline.store.database import sessions_of
from hotline.store.trials import TrialStore
from tests.fixtures.migrated import upgrade
from tests.fixtures.report_ledger import open_site

OCTOBER = datetime(2026, 10, 12, 2, tzinfo=UTC)
MARKS = (TrialMarks(10, 10, 40, 24.5, 10), TrialMarks(7.5, 10, 35, 25, 10))
"""Of 湘乡市: their means are the published 8.75, 10.00, 37.50, 24.75 and 10.00."""
UNITS = """\
scheme: five-rates
units:
  - name: 湘乡市
    orders: {on_time: 100.00, contacted: 99.60, satisfied: 55.66}
    rates: {answer: 89.89, closed_online: 76.62, on_time: 99.76,
      called_back: 100.00, satisfied: 73.11, accuracy: 30}
  - name: 甲县
    orders: {on_time: 99.20, contacted: 98.75, satisfied: 88.00}
    rates: {answer: 97.30, closed_online: 64.26, on_time: 99.10,
      called_back: 96.50, satisfied: 81.40, accuracy: 29.5}
    test_calls: {menu: 9, answering: 10, manner: 38, knowledge: 26, call_back: 10}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Test calls of October that a listener marked, one that nobody answered, and one of November."""
    made = tmp_path_factory.mktemp("data")
    asyncio.run(_dial(made))
    return made


async def _dial(folder: Path) -> None:
    _, engine = open_site(folder)
    await upgrade(engine)
    store, order = TrialStore(sessions_of(engine)), TrialOrder("12345", unit="湘乡市")
    answered, november = TrialResult.ANSWERED, OCTOBER + timedelta(days=30)
    await store.save(TrialCall("t1", order, OCTOBER, answered, 200, answer_seconds=8.4, marks=MARKS[0]))
    await store.save(TrialCall("t2", order, OCTOBER, answered, 200, answer_seconds=28.0, marks=MARKS[1]))
    await store.save(TrialCall("t3", order, OCTOBER, TrialResult.NO_ANSWER, 487))
    await store.save(TrialCall("t4", order, november, answered, 200, marks=TrialMarks(0, 0, 0, 0, 0)))
    await engine.dispose()


@pytest.fixture
def units(tmp_path: Path) -> Path:
    file = tmp_path / "2026-10.scores.yaml"
    file.write_text(UNITS, encoding="utf-8")
    return file


def scored(folder: Path, *words: str) -> Result:
    app = typer.Typer()
    app.command()(score_command(lambda _: open_site(folder)))
    return CliRunner().invoke(app, [*words, "--format", "json"], catch_exceptions=False)


def month(folder: Path, out: Path, *words: str) -> dict[str, Any]:
    commands = report_commands(lambda _: open_site(folder))
    options = ["month", "2026-10", "--site", "site.yaml", "--out", str(out), *words]
    CliRunner().invoke(commands, options, catch_exceptions=False)
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def cells(report: dict[str, Any], table: str) -> list[list[Any]]:
    found = next(block for block in report["document"]["blocks"] if block["id"] == table)
    return [row["cells"] for row in found["rows"]]


def test_listeners_marks_make_the_published_score(folder: Path, units: Path, tmp_path: Path) -> None:
    """湘乡市's 87.27 stands in the report cell by cell, from test calls that were dialled and marked."""
    report = month(folder, tmp_path / "m.json", "--scores", str(units))
    assert cells(report, "t.scores")[1] == [2, "湘乡市", 7.05, 52.92, 27.3, 87.27]
    assert cells(report, "t.scores.orders")[1] == ["湘乡市", 30.0, 29.88, 10.66, 7.05]
    assert cells(report, "t.scores.rates")[1] == ["湘乡市", 18.98, 10.0, 9.98, 10.0, 9.24, 30.0, 52.92]
    assert cells(report, "t.scores.test_calls")[1] == ["湘乡市", 8.75, 10.0, 37.5, 24.75, 10.0, 27.3]
    assert cells(report, "t.test_calls") == [["湘乡市", 3, 2, 66.67, 1, 18.2, 28.0]]
    assert report["disagreements"] == []
    assert {"scores": "scored", "test_calls": "trials"}.items() <= report["data"]["sources"].items()
    head = next(one for one in report["document"]["blocks"] if one["id"] == "t.scores")["columns"]
    assert [one["title"] for one in head][2:] == ["工单办理（10%）", "五率一度（60%）", "拨测（30%）", "总分"]


def test_score_and_report_say_the_same(folder: Path, units: Path, tmp_path: Path) -> None:
    """The command with the period's marks, the report from what it printed, and the report by itself."""
    found = scored(folder, str(units), "--site", str(sample("demo")), "--period", "2026-10")
    assert found.exit_code == 0 and json.loads(found.stdout)[1]["total"] == 87.27
    printed = tmp_path / "scores.json"
    printed.write_text(found.stdout)
    anew = month(folder, tmp_path / "a.json", "--scores", str(units))
    again = month(folder, tmp_path / "b.json", "--scores", str(printed))
    assert anew["data"]["scores"] == again["data"]["scores"]
    assert cells(anew, "t.scores.rates") == cells(again, "t.scores.rates")


def test_marks_that_are_missing_are_never_noughts(folder: Path, units: Path, tmp_path: Path) -> None:
    """A period without marks, and one without a site, are refused with the place or the remedy."""
    found = scored(folder, str(units), "--site", str(sample("demo")), "--period", "2026-09")
    assert (found.exit_code, found.stdout) == (1, "")
    assert '湘乡市: "test_calls" is missing' in found.stderr and len(found.stderr.splitlines()) == 1
    with pytest.raises(UsageError, match="give --site FILE with --period"):
        scored(folder, str(units), "--period", "2026-10")
    units.write_text(UNITS.replace("on_time: 100.00", "on_time: 101"))
    with pytest.raises(ConfigError, match=r"2026-10\.scores\.yaml:4: .*101 is out of range"):
        month(folder, tmp_path / "m.json", "--scores", str(units))
