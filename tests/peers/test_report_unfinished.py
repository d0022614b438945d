"""A report of a month that goes on, from a real database at a moment of that month."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from hotline.core.clock import ManualClock
from hotline.metrics.report.data import ReportData, Span
from hotline.metrics.report.gather import Gathering
from hotline.metrics.report.periods import period_of
from hotline.store.database import sessions_of
from tests.fixtures.report_ledger import ZONE, fill_ledger, open_site


async def october(folder: Path, until: str) -> ReportData:
    """The report as it would have been made then."""
    site, engine = open_site(folder)
    clock = ManualClock(wall=datetime.fromisoformat(until).replace(tzinfo=ZONE))
    try:
        return await Gathering(site, sessions_of(engine), clock).of(period_of(Span.MONTH, "2026-10"))
    finally:
        await engine.dispose()


async def test_a_month_so_far_counts_the_same_days_of_earlier_ones(tmp_path: Path) -> None:
    """Of the month before what had come by that day, of calls, lines and what they were about."""
    await fill_ledger(tmp_path)
    data = await october(tmp_path, "2026-10-20T09:00")
    assert data.phone is not None and data.phone.previous is not None and data.phone.year_ago is not None
    answered = [one.answered for one in (data.phone.total, data.phone.previous, data.phone.year_ago)]
    assert answered == [6, 4, 2]
    assert data.types is not None and [row.previous for row in data.types.rows if row.name == "求助"] == [4]
    assert [(point.name, point.answered) for point in data.trend][-2:] == [("2026-09", 4), ("2026-10", 6)]

    early = await october(tmp_path, "2026-10-10T09:00")  # September's calls came after the 10th
    assert early.phone is not None and early.phone.previous is None and early.phone.year_ago is not None
    assert early.types is not None and all(row.previous is None for row in early.types.rows)
    assert early.trend[-2].answered == 4  # the trend shows whole months

    to_come = await october(tmp_path, "2026-09-20T09:00")
    assert to_come.phone is None
