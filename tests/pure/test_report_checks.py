"""The arithmetic of reports: every slip that published tables had is told, and sound ones pass."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hotline.metrics.report.checks import disagreements
from hotline.metrics.report.compose import CHECKED, compose
from hotline.metrics.report.data import (
    Accepted,
    Breakdown,
    Counted,
    DialResult,
    LineCount,
    Phone,
    PhoneCounts,
    ReportData,
    Score,
    Unit,
    UnitCounts,
    Units,
)
from hotline.metrics.report.document import Note
from tests.fixtures.report_month import report, sample_month


def told(data: ReportData) -> list[str]:
    return [str(one) for one in disagreements(data)]


def test_the_published_month_adds_up() -> None:
    """Channels, types, lines with their sub-totals, units and rates of the sample; the report says so."""
    assert told(sample_month()) == []
    assert any(getattr(block, "text", "") == CHECKED for block in compose(sample_month()).blocks)


def test_a_total_that_is_not_the_sum_of_its_parts() -> None:
    """A table was printed with a total of 1,333 whose parts make 1,322."""
    rows = (Unit(name="甲", orders=1000), Unit(name="乙", orders=322))
    data = report(units=Units(rows=rows, total=UnitCounts(orders=1333)))
    assert told(data) == ["承办单位：工单合计为1,333，各单位相加为1,322，相差11"]
    notes = [
        block.text for block in compose(data).blocks if isinstance(block, Note) and block.tone == "check"
    ]
    assert notes == ["数据不一致——承办单位：工单合计为1,333，各单位相加为1,322，相差11。"]


def test_a_rate_in_time_above_the_answer_rate() -> None:
    """94.84 % in 15 s beside 88.94 % answered: possible only over answered calls."""
    phone = Phone(total=PhoneCounts(answered=1000), answer_percent=88.94, within_percent=94.84)
    assert told(report(phone=phone)) == [
        "接通率：15秒接通率94.84%高于接通率88.94%：只有以人工接听量为分母才可能，两者分母不同，不能并列比较"
    ]


def test_lines_against_their_parents_and_the_total() -> None:
    """A sub-total that its lines do not make, and lines that do not make the whole."""
    market = LineCount(
        label="12315",
        answered=10_489,
        lines=(LineCount(label="12315-1", answered=10_183), LineCount(label="12358", answered=184)),
    )
    phone = Phone(total=PhoneCounts(answered=10_500), lines=(market,))
    assert told(report(phone=phone)) == [
        "专线接听：合计为10,500，各专线相加为10,489，相差11",
        "专线接听 12315：合计为10,489，下级专线相加为10,367，相差122",
    ]


def test_printed_rates_against_their_counts() -> None:
    """A percent that the counts do not give; one that was cut instead of rounded is let pass."""
    accepted = Accepted(total=27_776, at_once=20_832, at_once_percent=76, dispatched=6_944, on_time=6_924)
    assert told(report(accepted=accepted)) == ["当场答复率：填报为76.00%，按数量计算为75.00%"]
    cut = Accepted(total=3, at_once=2, at_once_percent=66.66)
    assert told(report(accepted=cut)) == []
    shares = Breakdown(rows=(Counted(name="咨询", count=1, percent=50), Counted(name="求助", count=3)))
    assert told(report(types=shares)) == ["诉求类型 咨询占比：填报为50.00%，按数量计算为25.00%"]


def test_more_of_a_part_than_of_the_whole() -> None:
    """A numerator above its denominator, orders contacted that were none, answers that are no answers."""
    unit = Unit(
        name="甲", orders=10, on_time=12, called_back=5, satisfied=3, so_so=1, no_opinion=0, unsatisfied=0
    )
    assert told(report(units=Units(rows=(unit,)))) == [
        "按时办结率：分子12大于分母10（按时办结量 ÷ 有效工单量）",
        "承办单位 甲：按时办结12多于工单10",
        "承办单位 甲：回访为5，各项评价相加为4，相差1",
    ]
    dial = DialResult(name="甲", calls=2, answered=3)
    assert told(report(test_calls=(dial,))) == ["拨测：甲接通3次、拨测2次，部分多于整体"]


def test_sections_against_each_other() -> None:
    """Channels and types of a month sum to what was accepted; at once and dispatched too."""
    month: dict[str, Any] = {
        "accepted": Accepted(total=100, at_once=70, dispatched=20),
        "channels": Breakdown(rows=(Counted(name="电话", count=99),)),
        "types": Breakdown(rows=(Counted(name="咨询", count=98),)),
    }
    assert told(report(**month)) == [
        "受理情况：受理为100，当场答复与转派相加为90，相差10",
        "受理渠道：合计99，受理量为100，两者不一致",
        "诉求类型：合计98，受理量为100，两者不一致",
    ]


def test_a_score_whose_groups_do_not_make_it() -> None:
    """7.05 + 52.92 + 27.30 is 87.27."""
    groups = {"工单办理": 7.05, "五率一度": 52.92, "拨测": 27.30}
    sound, wrong = (
        Score(rank=1, name="甲", groups=groups, total=87.27),
        Score(rank=2, name="乙", groups=groups, total=87.3),
    )
    assert told(report(scores=(sound, wrong))) == ["分中心考核：乙总分为87.30，各项之和为87.27"]


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=8), st.integers(1, 1000))
def test_every_slip_in_a_total_is_told(parts: list[int], slip: int) -> None:
    """The sum passes, and anything else does not."""
    rows = tuple(Counted(name=f"渠道{at}", count=count) for at, count in enumerate(parts))
    sound = report(channels=Breakdown(total=sum(parts), rows=rows))
    wrong = report(channels=Breakdown(total=sum(parts) + slip, rows=rows))
    assert told(sound) == [] and len(told(wrong)) == 1
