"""The sentences of reports: the published manner, and every awkward figure."""

from __future__ import annotations

from hotline.metrics.report.data import Breakdown, Counted, LineCount, Phone, PhoneCounts, Score, Unit, Units
from hotline.metrics.report.numbers import count_change, rate_change, rounded, said_change
from hotline.metrics.report.sentences import (
    accepted_sentence,
    cards_sentence,
    parts_sentence,
    phone_sentence,
    scores_sentence,
    topics_sentence,
    units_sentence,
)
from tests.fixtures.report_month import report, sample_month

GOLDEN = """
2020年3月，12345政务服务便民热线人工接听来电94,075个。接听量居前三位的专线为12345政务服务热线61,983个、12315市场监管局10,489个、12333劳动社保7,369个。
本月共受理诉求27,776件，环比上升17.00%；当场答复20,832件，当场答复率75.00%；转派承办单位6,944件，环比上升44.25%；按时办结6,924件，按时办结率99.71%；回访满意率61.17%。
从受理渠道看，电话27,453件、占98.84%；市长信箱167件、占0.60%；省平台84件、占0.30%；微信63件、占0.23%；其他9件、占0.03%。
从诉求类型看，咨询10,914件、占39.29%；求助9,881件、占35.57%；投诉6,820件、占24.55%；建议115件、占0.41%；其他32件、占0.12%；无效14件、占0.05%。
热点诉求居前五位的为社会保险（3,791件，占13.65%）、消费维权（3,430件，占12.35%）、医疗/生育保险（1,018件，占3.67%）、通信管理（765件，占2.75%）、退休服务（706件，占2.54%）。
5个承办单位共承办有效工单2,070件，按时办结率98.84%，回访满意率57.53%。按时办结率最高的为示例甲区、示例人社局（100.00%），最低的为示例城管局（93.75%）。回访满意率最高的为示例人社局（77.60%），最低的为示例城管局（30.30%）。
时限红牌2张：示例自来水公司、示例城管局；质量红牌2张：示例自来水公司、示例城管局；质量黄牌1张：示例乙区。
2个分中心中，得分最高的为示例市甲（87.27分），最低的为示例市乙（83.90分）。
""".strip().splitlines()


def test_the_published_month_reads_as_it_was_published() -> None:
    """Every sentence of the sample month, word for word."""
    data = sample_month()
    told = [
        phone_sentence(data),
        accepted_sentence(data),
        parts_sentence(data.channels, "从受理渠道看"),
        parts_sentence(data.types, "从诉求类型看"),
        topics_sentence(data),
        units_sentence(data),
        cards_sentence(data),
        scores_sentence(data.scores),
    ]
    assert told == GOLDEN


def test_a_fall_is_never_a_negative_rise() -> None:
    """Counts fall by percent, rates by percentage points, and equal figures stay level."""
    assert said_change(count_change(95, 100), "环比") == "环比下降5.00%"
    assert said_change(count_change(105, 100), "同比") == "同比上升5.00%"
    assert said_change(count_change(100, 100), "环比") == "环比持平"
    assert said_change(rate_change(88.94, 89.45), "环比") == "环比降低0.51个百分点"
    assert said_change(rate_change(89.45, 88.94), "环比") == "环比提高0.51个百分点"
    assert said_change(count_change(5, 0), "环比") == "上期为0"
    assert said_change(count_change(5, 0), "同比") == "上年同期为0"
    assert said_change(count_change(0, 0), "环比") == "环比持平"
    assert said_change(count_change(5, None), "环比") == ""


def test_percents_are_rounded_half_up() -> None:
    """0.125 becomes 0.13, as people round, and not 0.12, as machines do."""
    assert (rounded(0.125), rounded(2.675), rounded(-0.125)) == (0.13, 2.68, -0.13)


def test_the_telephone_with_everything_known() -> None:
    """Changes of both kinds, both rates, and the mean wait."""
    counts = {"offered": 100_000, "within": 90_000, "wait_seconds": 800_000}
    earlier = {"offered": 95_000, "within": 80_000, "wait_seconds": 900_000}
    phone = Phone(
        total=PhoneCounts(answered=94_075, **counts),
        previous=PhoneCounts(answered=90_000, **earlier),
        year_ago=PhoneCounts(answered=94_075),
    )
    assert phone_sentence(report(phone=phone)) == (
        "2020年3月，12345政务服务便民热线人工接听来电94,075个，环比上升4.53%，同比持平，进入排队100,000个。"
        "接通率94.08%，环比降低0.66个百分点；15秒接通率90.00%，环比提高5.79个百分点；"
        "平均应答时长8.50秒，环比下降15.00%。"
    )


def test_nothing_offered_has_a_dash_for_a_rate() -> None:
    """0/0 is neither 0 % nor 100 %."""
    phone = Phone(total=PhoneCounts(answered=0, offered=0, within=0))
    assert "接通率—；15秒接通率—" in phone_sentence(report(phone=phone))


def test_lines_that_all_hang_under_one_are_compared_with_each_other() -> None:
    """A site whose lines are children of 12345 names the busiest of the children."""
    below = (LineCount(label="12315", name="市场监管", answered=3), LineCount(label="12333", answered=5))
    phone = Phone(total=PhoneCounts(answered=8), lines=(LineCount(label="12345", answered=8, lines=below),))
    assert phone_sentence(report(phone=phone)).endswith("接听量居前两位的专线为12333 5个、12315市场监管3个。")


def test_what_nobody_gave_is_not_told() -> None:
    """No section, no sentence."""
    empty = report()
    for sentence in (phone_sentence, accepted_sentence, topics_sentence, units_sentence, cards_sentence):
        assert sentence(empty) == ""
    assert parts_sentence(None, "从诉求类型看") == "" and scores_sentence(()) == ""


def test_a_new_topic_is_called_new_and_not_a_rise_without_end() -> None:
    """What had no calls before is new; the rise is told of another."""
    topics = Breakdown(
        rows=(
            Counted(name="停水", count=50, previous=0),
            Counted(name="社保", count=30, previous=20),
            Counted(name="公交", count=20, previous=40),
        )
    )
    assert topics_sentence(report(topics=topics)) == (
        "热点诉求居前三位的为停水（50件）、社保（30件）、公交（20件）。停水为新增热点。"
        "环比增幅最大的为社保，上升50.00%。环比降幅最大的为公交，下降50.00%。"
    )


def test_one_unit_alone_is_neither_best_nor_slowest() -> None:
    """A comparison needs two."""
    units = Units(rows=(Unit(name="甲区", orders=20, on_time=19),))
    assert units_sentence(report(units=units)) == "甲区承办有效工单20件，按时办结率95.00%。"


def test_units_that_are_all_alike() -> None:
    """Nobody is called the slowest at the rate that all have."""
    units = Units(rows=tuple(Unit(name=name, orders=20, on_time=20) for name in ("甲", "乙", "丙", "丁")))
    assert units_sentence(report(units=units)).endswith("各单位按时办结率均为100.00%。")


def test_many_units_of_one_rate_are_counted_and_not_all_named() -> None:
    """Three names, and how many there are."""
    fast = tuple(Unit(name=f"单位{number}", orders=20, on_time=20) for number in range(1, 6))
    units = Units(rows=(*fast, Unit(name="慢单位", orders=20, on_time=10)))
    told = units_sentence(report(units=units))
    assert "最高的为单位1、单位2、单位3等5个单位（100.00%），最低的为慢单位（50.00%）" in told


def test_no_cards_are_told_too() -> None:
    """Units that keep the limits, and units too small to be judged."""
    units = Units(rows=(Unit(name="甲", orders=20, on_time=20), Unit(name="小", orders=2, on_time=0)))
    assert cards_sentence(report(units=units)) == "本月无承办单位被亮黄牌、红牌。"


def test_so_so_is_not_satisfied_and_no_opinion_is_left_out() -> None:
    """3 of 13 called back less 1 without an opinion: 25 %."""
    unit = Unit(name="甲", orders=20, satisfied=3, so_so=1, no_opinion=1, unsatisfied=8)
    assert "回访满意率25.00%" in units_sentence(report(units=Units(rows=(unit,))))


def test_a_ranking_of_equals() -> None:
    """All who share the first place are named."""
    scores = (
        Score(rank=1, name="甲", total=90),
        Score(rank=1, name="乙", total=90),
        Score(rank=3, name="丙", total=80),
    )
    assert scores_sentence(scores) == "3个分中心中，得分最高的为甲、乙（90.00分），最低的为丙（80.00分）。"
