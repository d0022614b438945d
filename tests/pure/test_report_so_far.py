"""Reports of a period that goes on: compared with as much of the earlier ones, and saying so."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from hotline.core.figures import Comparison
from hotline.metrics.report.checks import disagreements
from hotline.metrics.report.compared import compared
from hotline.metrics.report.compose import compose
from hotline.metrics.report.data import Accepted, Phone, PhoneCounts, ReportData, Source, Span, TrendPoint
from hotline.metrics.report.document import Note, Paragraph, Table
from hotline.metrics.report.periods import period_of

ZONE = ZoneInfo("Asia/Shanghai")
BEFORE, YEAR_BEFORE = Comparison.BEFORE, Comparison.YEAR_BEFORE


def at(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("span", "name", "until", "to", "then"),
    [
        (Span.MONTH, "2026-11", None, BEFORE, ("2026-10-01", "2026-11-01")),
        (Span.MONTH, "2026-11", "2026-11-21T08:49", BEFORE, ("2026-10-01", "2026-10-21T08:49")),
        (Span.MONTH, "2026-11", "2026-11-21T08:49", YEAR_BEFORE, ("2025-11-01", "2025-11-21T08:49")),
        (Span.MONTH, "2026-03", "2026-03-31T10:00", BEFORE, ("2026-02-01", "2026-03-01")),
        (Span.MONTH, "2028-02", None, YEAR_BEFORE, ("2027-02-01", "2027-03-01")),
        (Span.WEEK, "2026-W47", "2026-11-19T12:00", BEFORE, ("2026-11-09", "2026-11-12T12:00")),
        (Span.WEEK, "2026-W47", "2026-11-19T12:00", YEAR_BEFORE, ("2025-11-17", "2025-11-20T12:00")),
        (Span.DAY, "2026-11-22", "2026-11-22T08:49", BEFORE, ("2026-11-21", "2026-11-21T08:49")),
        (Span.DAY, "2028-02-29", None, YEAR_BEFORE, None),
        (Span.MONTH, "2026-12", "2026-11-21T08:49", BEFORE, None),  # it has not begun
    ],
)
def test_what_a_report_is_compared_with(
    span: Span, name: str, until: str | None, to: Comparison, then: tuple[str, str] | None
) -> None:
    """The whole period before and a year before; of one that goes on the same days and hours of them."""
    found = compared(period_of(span, name), at(until) if until else None, ZONE, to)
    assert found == (None if then is None else (at(then[0]), at(then[1])))


def so_far(until: str, span: Span = Span.MONTH, name: str = "2026-11") -> ReportData:
    """80 calls so far after 100 in the same days of the month before, 40 in those of the year before."""
    phone = Phone(
        total=PhoneCounts(answered=80, offered=100),
        previous=PhoneCounts(answered=100, offered=200),
        year_ago=PhoneCounts(answered=40),
    )
    trend = (TrendPoint(name="2026-10", answered=150), TrendPoint(name="2026-11", answered=80))
    return ReportData(
        site="热线", period=period_of(span, name), until=at(until), phone=phone, trend=trend,
        sources=dict.fromkeys(("phone", "trend"), Source.LEDGER),
    )  # fmt: skip


def test_a_month_so_far_says_with_which_days_it_is_compared() -> None:
    """In the head, in the sentence, over the columns and in a note; its trend is no disagreement."""
    data = so_far("2026-11-21T08:49")
    document = compose(data)
    assert document.period == "2026年11月（截至11月21日08:49）"
    told = [block.text for block in document.blocks if isinstance(block, Paragraph | Note)]
    assert told[0] == (
        "本期尚未结束，数据截至2026-11-21 08:49，对比的是上月同期（2026-10-01 00:00至2026-10-21 08:49）、"
        "上年同期（2025-11-01 00:00至2025-11-21 08:49），不是整个上期。"
    )
    assert told[1].startswith(
        "2026年11月（截至11月21日08:49），热线人工接听来电80个，较上月同期下降20.00%，较上年同期上升100.00%，"
    )
    assert "接通率80.00%，较上月同期提高30.00个百分点" in told[1]
    totals, trend = (block for block in document.blocks if isinstance(block, Table) and len(block.rows) == 2)
    titles = [column.title for column in totals.columns]
    assert titles == ["指标", "本期", "上月同期", "较上月同期", "上年同期", "较上年同期"]
    assert [row.cells[0] for row in trend.rows] == ["2026年10月", "2026年11月（截至11月21日08:49）"]
    assert not any("环比" in text for text in told) and disagreements(data) == ()


def test_weeks_and_days_so_far_have_their_own_words() -> None:
    """The week's brackets hold both; a day's head has the time alone."""
    week = compose(so_far("2026-11-19T12:00", Span.WEEK, "2026-W47"))
    assert week.period == "2026年第47周（11月16日至11月22日，截至11月19日12:00）"
    assert "较上周同期下降20.00%" in str(week.blocks)
    day = compose(so_far("2026-11-22T12:00", Span.DAY, "2026-11-22"))
    assert day.period == "2026年11月22日（截至12:00）"
    assert "较前一日同期下降20.00%" in str(day.blocks)


def test_imported_figures_of_a_month_so_far_are_compared_as_they_were_given() -> None:
    """Nobody here knows whether their earlier month was cut too, and the report says that."""
    data = so_far("2026-11-21T08:49").model_copy(update={"accepted": Accepted(total=110, previous=100)})
    data.sources["accepted"] = Source.IMPORTED
    told = [block.text for block in compose(data).blocks if isinstance(block, Paragraph | Note)]
    assert "本月共受理诉求110件，环比上升10.00%。" in told
    assert told[0].endswith("填报数据的环比、同比以填报为准。")


def test_a_month_to_come_is_compared_with_nothing() -> None:
    """It has not begun: no days of it are over."""
    data = ReportData(site="热线", period=period_of(Span.MONTH, "2026-12"), until=at("2026-11-21T08:49"))
    assert "本期尚未开始。" in [block.text for block in compose(data).blocks if isinstance(block, Note)]
