"""What callers said after the talk, as a month's report tells it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from hotline.core.clock import SystemClock
from hotline.metrics.report.compose import compose
from hotline.metrics.report.data import Span
from hotline.metrics.report.document import Paragraph, Table
from hotline.metrics.report.gather import Gathering
from hotline.metrics.report.periods import period_of
from hotline.store.database import sessions_of
from hotline.store.ledger import Changes, Ledger, SurveyRecord
from tests.fixtures.report_ledger import ZONE, fill_ledger, open_site

SAID: dict[str, list[tuple[str, int | None]]] = {  # day -> line and key
    "2026-09-15": [("12345", 5), ("12345", 1)],
    "2026-10-05": [("12345", 5), ("12345", None), ("12315", 4), ("12358", 2), ("12358", 3)],
}


async def test_answers_by_line_with_their_rates_and_the_month_before(tmp_path: Path) -> None:
    """Lines under others count with them; satisfied are 5 and 4 of those who pressed a key."""
    await fill_ledger(tmp_path)
    site, engine = open_site(tmp_path)
    sessions = sessions_of(engine)
    rows = [
        SurveyRecord(
            f"{day}-{number}", "n1", line, line, "", "", "1001",
            datetime.fromisoformat(f"{day}T10:00").replace(tzinfo=ZONE) + timedelta(minutes=number),
            "answered" if key else "hung_up", key, "live",
        )
        for day, said in SAID.items() for number, (line, key) in enumerate(said)
    ]  # fmt: skip
    await Ledger(sessions).save(Changes(surveys=rows))
    data = await Gathering(site, sessions, SystemClock()).of(period_of(Span.MONTH, "2026-10"))
    silent = await Gathering(site, sessions, SystemClock()).of(period_of(Span.MONTH, "2025-10"))
    await engine.dispose()
    blocks = compose(data).blocks
    (table,) = [one for one in blocks if isinstance(one, Table) and one.id == "t.surveys"]
    assert [(row.cells, row.depth) for row in table.rows] == [
        (("12345 政务服务便民热线", 2, 1, 1, 0, 0, 0, 0, 50.0, 100.0), 0),
        (("12315 市场监管", 3, 3, 0, 1, 1, 1, 0, 100.0, 33.33), 0),
        (("12358 原物价", 2, 2, 0, 0, 1, 1, 0, 100.0, 0.0), 1),
        (("合计", 5, 4, 1, 1, 1, 1, 0, 80.0, 50.0), 0),
    ]
    told = [one.text for one in blocks if isinstance(one, Paragraph) and one.id == "p.surveys"]
    assert told == ["坐席挂机后请来电人按键评价5次，参评4次，参评率80.00%，通话满意率50.00%。"]
    (rates,) = [one for one in blocks if isinstance(one, Table) and one.id == "t.rates"]
    satisfied = next(row.cells for row in rates.rows if row.cells[0] == "通话满意率")
    assert satisfied[2:] == (2, 4, "50.00%", 0.0), "the month before it was 50 %, too"
    assert not [one for one in compose(silent).blocks if "surveys" in one.id]
