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
    TrendPoint,
    Unit,
    UnitCounts,
    Units,
)
from hotline.metrics.report.document import Note
from hotline.metrics.scoring.schemes import known_schemes
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
        Score(rank=2, name="甲", groups=groups, total=87.27),
        Score(rank=1, name="乙", groups=groups, total=87.3),
    )
    assert told(report(scores=(sound, wrong))) == ["分中心考核：乙总分为87.30，各项之和为87.27"]


def test_a_ranking_whose_cells_do_not_make_it() -> None:
    """By the weights of its scheme, as far as rounding cannot explain; places follow from totals."""
    orders = {"on_time": 30.0, "contacted": 29.88, "satisfied": 10.66}
    tests = {"menu": 8.75, "answering": 10.0, "manner": 37.5, "knowledge": 24.75, "call_back": 10.0}
    groups = {"orders": 7.05, "rates": 52.92, "test_calls": 27.3}
    cells = {"orders": orders, "test_calls": tests}
    sound = Score(rank=1, name="甲", scores=cells, groups=groups, total=87.27)
    wrong = Score(
        rank=3, name="乙", total=86.97, groups=groups | {"test_calls": 27.0},
        scores=cells | {"test_calls": tests | {"menu": 10.5}},
    )  # fmt: skip
    scheme = known_schemes(None)["five-rates"]
    assert told(report(scores=(sound,), scheme=scheme)) == []
    assert told(report(scores=(sound, wrong), scheme=scheme)) == [
        "分中心考核：乙拨测的语音导航为10.50分，多于满分10",
        "分中心考核：乙拨测为27.00，各项得分按权重计算为27.82",
        "分中心考核：乙名次为3，按总分应为2",
    ]


def test_every_column_of_the_table_of_lines_is_summed() -> None:
    """Queued, in time, the month before and the year ago; and each line's printed rate and 环比."""
    lines = (
        LineCount(label="12345", answered=60, offered=80, within=50, previous=50, year_ago=10, change=25),
        LineCount(
            label="12315", answered=40, offered=50, within=41, previous=0, year_ago=5, answer_percent=90
        ),
    )
    phone = Phone(
        total=PhoneCounts(answered=100, offered=131, within=90), previous=PhoneCounts(answered=51),
        year_ago=PhoneCounts(answered=15), lines=lines,
    )  # fmt: skip
    assert told(report(phone=phone)) == [
        "专线进入排队：合计为131，各专线相加为130，相差1",
        "专线时限内接听：合计为90，各专线相加为91，相差1",
        "专线上期接听：合计为51，各专线相加为50，相差1",
        "专线接听 12345环比：填报为25.00%，按数量计算为20.00%",
        "专线接听 12315：时限内接听41多于接听40",
        "专线接听 12315接通率：填报为90.00%，按数量计算为80.00%",
    ]


def test_the_trend_against_the_rest_of_the_report() -> None:
    """Its last month is the report's own, and the one before it what 环比 is taken of."""
    trend = (TrendPoint(name="2020-02", accepted=90), TrendPoint(name="2020-03", accepted=101))
    accepted = Accepted(total=100, previous=91, total_change=9.89)
    assert told(report(trend=trend, accepted=accepted)) == [
        "走势：2020-03受理量为101，报告他处为100",
        "走势：2020-02受理量为90，报告他处为91",
    ]


def test_shares_and_changes_as_printed() -> None:
    """Shares that do not make 100 %, a 环比 that the counts do not give, rates of units and test calls."""
    rows = (Counted(name="咨询", count=2, percent=66.67), Counted(name="求助", count=1, percent=33))
    assert told(report(types=Breakdown(rows=rows))) == [
        "诉求类型：各项占比相加为99.67%，不是100%",
        "诉求类型 求助占比：填报为33.00%，按数量计算为33.33%",
    ]
    seat = Counted(name="企业专席", count=110, previous=100, change=11)
    unit = Unit(name="甲", orders=10, on_time=9, on_time_percent=95, contacted=5, contacted_percent=50)
    dial = DialResult(
        name="甲", calls=3, answered=2, answered_percent=66.67, mean_seconds=9, longest_seconds=8
    )
    assert told(report(seats=(seat,), units=Units(rows=(unit,)), test_calls=(dial,))) == [
        "承办单位 甲 按时办结率：填报为95.00%，按数量计算为90.00%",
        "拨测：甲平均应答9秒，长于最长的8秒",
        "特服席 企业专席环比：填报为11.00%，按数量计算为10.00%",
    ]


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=8), st.integers(1, 1000))
def test_every_slip_in_a_total_is_told(parts: list[int], slip: int) -> None:
    """The sum passes, and anything else does not."""
    rows = tuple(Counted(name=f"渠道{at}", count=count) for at, count in enumerate(parts))
    sound = report(channels=Breakdown(total=sum(parts), rows=rows))
    wrong = report(channels=Breakdown(total=sum(parts) + slip, rows=rows))
    assert told(sound) == [] and len(told(wrong)) == 1
