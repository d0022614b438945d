"""When scheduled reports are due."""

from __future__ import annotations

from datetime import datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from hotline.config.loading import check_site, load_site
from hotline.config.reporting import ScheduledReport
from hotline.config.samples import NAMES
from hotline.config.samples import path as sample
from hotline.config.schema import Site
from hotline.metrics.report.job import what_reports_need
from hotline.metrics.report.schedule import newest_due

ZONE = ZoneInfo("Asia/Shanghai")


def due(report: ScheduledReport, moment: str) -> str:
    return newest_due(report, datetime.fromisoformat(moment).replace(tzinfo=ZONE), ZONE).name


def test_a_month_is_due_on_its_day_at_its_time() -> None:
    """Not a minute before; then until the next one is."""
    report = ScheduledReport(name="m", what="month", on=3, at=time(8, 0))
    assert due(report, "2026-11-03T07:59") == "2026-09"
    assert due(report, "2026-11-03T08:00") == "2026-10"
    assert due(report, "2026-12-02T23:59") == "2026-10"
    assert due(report, "2027-01-03T08:00") == "2026-12"


def test_a_week_and_a_day_are_due_after_their_end() -> None:
    """A week's on a weekday of the next; a day's on the next day."""
    week = ScheduledReport(name="w", what="week", on=2, at=time(9, 0))
    assert due(week, "2026-10-13T08:59") == "2026-W40"
    assert due(week, "2026-10-13T09:00") == "2026-W41"
    day = ScheduledReport(name="d", what="day", at=time(0, 30))
    assert due(day, "2026-10-06T00:29") == "2026-10-04"
    assert due(day, "2026-10-06T00:30") == "2026-10-05"


def test_schedules_that_cannot_be() -> None:
    """A weekday eight, a day of a day."""
    with pytest.raises(ValidationError, match="a week has seven days"):
        ScheduledReport(name="w", what="week", on=8)
    with pytest.raises(ValidationError, match="delete on"):
        ScheduledReport(name="d", what="day", on=2)


def test_two_schedules_of_one_name_are_refused(tmp_path: Path) -> None:
    """They would write over each other's files; the second is named with its line."""
    text = sample("demo").read_text(encoding="utf-8")
    file = tmp_path / "site.yaml"
    twice = "reports:\n  schedule:\n    - {name: a, what: day}\n    - {name: a, what: week}\n"
    file.write_text(twice + text, encoding="utf-8")
    assert [
        'site.yaml:4: reports.schedule[1].name: scheduled report "a" is given twice (first on line 3)'
    ] == [str(one).rpartition("/")[2].partition(" — ")[0] for one in check_site(file, {}).errors]


@pytest.mark.parametrize("name", NAMES)
def test_what_reports_need_of_a_site_reaches_the_process_that_makes_them(name: str) -> None:
    """Through JSON and back it is the same."""
    site = what_reports_need(load_site(sample(name), {}))
    assert Site.model_validate_json(site.model_dump_json()) == site
