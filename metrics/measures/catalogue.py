"""Every measure, once: its names, its formula, the counts it is made of, its norm.

A measure is a count (来电量), a time, or one over another (接通率). What the counts take is said in
``store.counts``; what cities do differently is chosen here from the site's ``figures`` section. Measures of
work orders are counts of other systems (`Origin.IMPORTED`, ``metrics/imported.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hotline.config.schema import FiguresSection
from hotline.core.figures import Better, MeasureInfo, MeasureUnit
from hotline.store.counts import COUNT, DIMS, Count, Dim

_N, _S, _P = MeasureUnit.COUNT, MeasureUnit.SECONDS, MeasureUnit.PERCENT
_UP, _DOWN, _EITHER = Better.HIGHER, Better.LOWER, Better.NEITHER


@dataclass(frozen=True, slots=True)
class Measure:
    """A named figure.

    Attributes:
        id: its name for programs.
        name: in Chinese; ``name_en`` in English.
        unit: of the figure; seconds are made of milliseconds.
        numerator: the counts whose sum is divided, or is the figure itself.
        denominator: the counts whose sum divides; none for a plain sum.
        better: which way is better.
        norm: what the site wants of it, as a fraction (of percents) or in seconds.
        remark: what is not plain, in Chinese; ``remark_en`` in English.
    """

    id: str
    name: str
    name_en: str
    unit: MeasureUnit
    numerator: tuple[Count, ...]
    denominator: tuple[Count, ...] = ()
    better: Better = Better.NEITHER
    norm: float | None = None
    remark: str = ""
    remark_en: str = ""

    @property
    def counts(self) -> tuple[Count, ...]:
        """All that must be counted for it."""
        return tuple(dict.fromkeys((*self.numerator, *self.denominator)))

    @property
    def dims(self) -> frozenset[Dim]:
        """What all of its rows know of themselves."""
        known = [frozenset(DIMS.get(count.origin, ())) for count in self.counts]
        return frozenset.intersection(*known)

    @property
    def formula(self) -> str:
        """In Chinese."""
        return _formula(
            *(" + ".join(one.name for one in side) for side in (self.numerator, self.denominator))
        )

    @property
    def formula_en(self) -> str:
        """In English."""
        sides = (" + ".join(one.name_en for one in side) for side in (self.numerator, self.denominator))
        return _formula(*sides)

    def info(self) -> MeasureInfo:
        """What a page shows of it."""
        return MeasureInfo(
            id=self.id,
            name=self.name,
            name_en=self.name_en,
            unit=self.unit,
            formula=self.formula,
            formula_en=self.formula_en,
            remark=self.remark,
            remark_en=self.remark_en,
            better=self.better,
            norm=self.norm,
            numerator=tuple(one.id for one in self.numerator),
            denominator=tuple(one.id for one in self.denominator),
        )


def _formula(above: str, below: str) -> str:
    if not below:
        return above
    parted = [f"({side})" if " + " in side else side for side in (above, below)]
    return " / ".join(parted)


def _of(ids: str) -> tuple[Count, ...]:
    return tuple(COUNT[one] for one in ids.split())


def _plain(id_: str, better: Better = _EITHER, remark: str = "", remark_en: str = "") -> Measure:
    count = COUNT[id_]
    return Measure(id_, count.name, count.name_en, _N, (count,), (), better, None, remark, remark_en)


def _mean(id_: str, name: str, name_en: str, above: str, below: str, better: Better = _EITHER) -> Measure:
    return Measure(id_, name, name_en, _S, _of(above), _of(below), better)


def _time(id_: str, name: str, name_en: str, of: str) -> Measure:
    return Measure(id_, name, name_en, _S, _of(of))


def measures_of(site: FiguresSection) -> dict[str, Measure]:
    """The measures of a site by id, in the order in which pages list them."""
    apart = site.exclude_short_abandons
    base = "closed_but_short" if apart else "closed"
    short = (
        ("短时放弃不计入分母", "short abandons are left out")
        if apart
        else ("短时放弃计入分母", "short abandons are counted")
    )
    within = site.answer_within_seconds
    rates = (
        Measure(
            ANSWER_RATE, "接通率", "answer rate", _P, _of("answered"), _of(base), _UP,
            site.answer_rate_norm, *short,
        ),
        Measure(
            WITHIN_RATE, f"{within} 秒接通率", f"answered within {within} s", _P, _of("answered_within"),
            _of(base if site.within_over == "offered" else "answered"), _UP, None,
            f"等待不超过 {within} 秒即接听", f"waited no longer than {within} s",
        ),
        Measure(
            "abandon_rate", "放弃率", "abandon rate", _P,
            _of("abandoned" if apart else "abandoned short_abandon"), _of(base), _DOWN, None, *short,
        ),
        Measure(
            ASA, "平均应答时长", "average speed of answer", _S, _of("wait_ms"), _of("answered"), _DOWN,
            float(within), "从进入队列到接听", "from the queue to the answer",
        ),
        Measure(
            "test_within_rate", f"拨测 {within} 秒应答率", f"test calls answered within {within} s", _P,
            _of("test_within"), _of("test_calls"), _UP, None, *_OF_TRIALS,
        ),
        Measure(
            "test_answer_time", "拨测平均应答时长", "mean ring to answer of test calls", _S,
            _of("test_answer_ms"), _of("test_answered"), _DOWN, float(within), *_OF_TRIALS,
        ),
    )  # fmt: skip
    return {measure.id: measure for measure in (*rates, *_OTHERS)}


ANSWER_RATE: Final = "answer_rate"
WITHIN_RATE: Final = "within_rate"
ASA: Final = "asa"
AHT: Final = "aht"
MEAN_TALK: Final = "mean_talk"
CALL_SATISFACTION: Final = "call_satisfaction"

_OF_TRIALS: Final = (
    "按拨测计划所填专线；未填的只计入全部",
    "by the line of the test's plan; those without one count in the whole alone",
)
_OF_SURVEYS: Final = (
    "坐席挂机后来电人按键评价；与回访满意率（其他系统导入）不同",
    "said by key after the agent hung up; not the follow-up satisfaction, which is imported",
)

_OF_OTHERS: Final = (
    "其他系统导入；只计期间完整落在所查时段内的数据",
    "imported; a row counts where its whole period lies in what is asked for",
)
_OTHERS: Final = (
    _mean("abandoned_wait", "放弃前平均等待", "mean wait of the abandoned", "abandoned_wait_ms", "abandoned"),
    _mean(AHT, "平均处理时长", "average handling time", "talk_ms wrap_up_ms", "answered"),
    _mean(MEAN_TALK, "平均通话时长", "mean talk", "talk_ms", "talked"),
    _mean("mean_hold", "平均保持时长", "mean hold", "hold_ms", "talked"),
    _mean("mean_wrap_up", "平均话后整理", "mean wrap-up", "wrap_up_ms", "talked"),
    _mean("mean_ring", "平均振铃时长", "mean ring", "ring_ms", "answered", _DOWN),
    _plain("calls"),
    _plain("offered", remark="每次进入队列计一次", remark_en="each wait in a queue is one"),
    _plain("answered", _UP),
    _plain("answered_within", _UP),
    _plain("still_open", _DOWN),
    _plain("abandoned", _DOWN),
    _plain("short_abandon"),
    _plain("timeout", _DOWN),
    _plain("full", _DOWN),
    _plain("empty", _DOWN),
    _plain("key_exit"),
    _plain("callback"),
    _plain("transferred"),
    _plain("unanswered_rings", _DOWN, "坐席话机振铃而未接的次数", "phones of agents that rang in vain"),
    _plain("machine_served", remark="在菜单内办结、未进入队列", remark_en="ended in the menu, no queue"),
    _plain("menu_hangups", _DOWN),
    _mean("menu_time", "平均菜单时长", "mean time in menus", "menu_ms", "menu_visits", _DOWN),
    _plain("callbacks"),
    _plain("callbacks_reached", _UP),
    Measure(
        "callback_rate", "回拨接通率", "callbacks that reached", _P,
        _of("callbacks_reached"), _of("callbacks"), _UP,
    ),
    _plain("talks", _EITHER, "含转接、三方和回拨，不含咨询", "transfers and callbacks, too; no consults"),
    _mean(
        "mean_any_talk", "坐席平均通话时长（含转接）", "mean talk of agents, transfers included",
        "with_callers_ms", "talks_over",
    ),
    _time(
        "talk_time", "坐席通话时长（含转接）", "talk time of agents, transfers included", "with_callers_ms"
    ),
    _plain("handed_on", _EITHER, "按坐席看是转出的坐席", "by agent: who handed on"),
    Measure(
        "handed_on_rate", "转接率", "rate of callers handed on", _P,
        _of("handed_on"), _of("talks_over"), _EITHER,
    ),
    _plain("taken_over", _EITHER, "按坐席看是接到转接的坐席", "by agent: who got the caller"),
    _plain("three_ways"),
    _plain("consults", _EITHER, "按坐席看是被咨询的坐席", "by agent: who was asked"),
    _mean("mean_consult", "平均咨询时长", "mean consult", "consult_ms", "consults"),
    Measure(
        "occupancy", "坐席利用率", "occupancy", _P, _of("busy_ms"), _of("signed_in_ms"), _EITHER, None,
        "通话含转接、咨询和回拨；签入时长不含话机离线",
        "of all calls, transfers, consults and callbacks among them; not signed in: a phone out of reach",
    ),
    *(
        Measure(id_, name, name_en, _P, _of(above), _of(below), better, None, *_OF_OTHERS)
        for id_, name, name_en, above, below, better in (
            ("at_once_rate", "即时答复率", "answered on the call", "at_once", "accepted", _UP),
            ("on_time_rate", "按时办结率", "orders on time", "on_time", "dispatched", _UP),
            ("satisfied_rate", "回访满意率", "follow-up satisfaction", "satisfied", "said_opinion", _UP),
            ("return_rate", "退单申请率", "returns rejected", "returns_rejected", "valid_orders", _DOWN),
            (
                "units_on_time_rate", "承办单位按时办结率", "units' orders on time",
                "units_on_time", "valid_orders", _UP,
            ),
        )
    ),
    *(_plain(one, _EITHER, *_OF_OTHERS) for one in ("accepted", "dispatched", "valid_orders", "called_back")),
    Measure(
        CALL_SATISFACTION, "通话满意率", "satisfaction with the call", _P,
        _of("survey_satisfied"), _of("survey_answered"), _UP, None, *_OF_SURVEYS,
    ),
    Measure(
        "survey_rate", "参评率", "callers who gave an opinion", _P,
        _of("survey_answered"), _of("surveyed"), _UP, None, *_OF_SURVEYS,
    ),
    *(
        _plain(one, better, *_OF_SURVEYS)
        for one, better in (
            ("surveyed", _EITHER), ("survey_answered", _UP), ("survey_satisfied", _UP), ("survey_5", _UP),
            ("survey_4", _UP), ("survey_3", _EITHER), ("survey_2", _DOWN), ("survey_1", _DOWN),
            ("survey_no_answer", _EITHER), ("survey_wrong_key", _EITHER), ("survey_hung_up", _EITHER),
        )
    ),
    _plain("test_calls", _EITHER, *_OF_TRIALS),
    _time("signed_in", "签入时长", "time signed in", "signed_in_ms"),
    _time("ready_time", "示闲时长", "time ready", "ready_ms"),
    _time("paused_time", "示忙时长", "time paused", "paused_ms"),
)  # fmt: skip
