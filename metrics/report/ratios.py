"""Every rate of a report as a named numerator over a named denominator, with its formula."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from hotline.metrics.report.data import (
    Accepted,
    Phone,
    PhoneCounts,
    ReportData,
    Surveys,
    Unit,
    UnitCounts,
)
from hotline.metrics.report.numbers import percent, rounded


@dataclass(frozen=True, slots=True)
class Ratio:
    """A rate and what it was made of.

    Attributes:
        numerator, denominator: counts (or seconds over a count); None where only ``printed`` is known.
        before: the same of the period before, published as it was then.
        printed: what somebody else's table says it is.
    """

    id: str
    name: str
    formula: str
    numerator: float | None
    denominator: float | None
    before: float | None = None
    printed: float | None = None
    unit: Literal["%", "秒"] = "%"

    @property
    def counted(self) -> float | None:
        """From the counts; None without them, and for nothing over nothing."""
        if self.numerator is None or self.denominator is None:
            return None
        if self.unit == "%":
            return percent(self.numerator, self.denominator)
        return rounded(self.numerator / self.denominator) if self.denominator else None

    @property
    def value(self) -> float | None:
        """The published figure: from the counts, or as printed where nobody gave them."""
        return self.counted if self.numerator is not None and self.denominator is not None else self.printed

    @property
    def known(self) -> bool:
        """Whether there is anything to say of it, be it a dash."""
        return (self.numerator is not None and self.denominator is not None) or self.printed is not None


def ratios(data: ReportData) -> tuple[Ratio, ...]:
    """Those of which anything is known, in the order of the report."""
    found = [*_of_phone(data.phone), *_of_accepted(data.accepted, data)]
    found += _of_surveys(data.surveys)
    if data.knowledge is not None:
        known = data.knowledge
        formula = "知识库答复量 ÷ 知识库查询量"
        found.append(Ratio("knowledge_rate", "知识库答复率", formula, known.answered, known.asked))
    return tuple(one for one in found if one.known)


def _of_surveys(surveys: Surveys | None) -> list[Ratio]:
    if surveys is None:
        return []
    total, before = surveys.total, surveys.previous
    earlier = percent(before.satisfied, before.answered) if before else None
    rate = "（非常满意＋满意）÷ 参评量（五个评价键）"
    return [
        Ratio("call_satisfaction", "通话满意率", rate, total.satisfied, total.answered, earlier),
        Ratio("survey_rate", "参评率", "参评量 ÷ 邀请评价量", total.answered, total.asked),
    ]


Parts = tuple[float | None, float | None]
"""A numerator over a denominator."""


def _of_phone(phone: Phone | None) -> list[Ratio]:
    if phone is None:
        return []
    seconds, over = phone.within_seconds, phone.within_over
    base_name = "进入排队量" if over == "offered" else "人工接听量"

    def in_time(counts: PhoneCounts) -> Parts:
        return counts.within, counts.offered if over == "offered" else counts.answered

    def ratio(
        name: tuple[str, str, str],
        parts: Callable[[PhoneCounts], Parts],
        unit: Literal["%", "秒"] = "%",
        printed: float | None = None,
    ) -> Ratio:
        now = Ratio(*name, *parts(phone.total), printed=printed, unit=unit)
        if phone.previous is None:
            return now
        return replace(now, before=Ratio(*name, *parts(phone.previous), unit=unit).counted)

    wait, talk = "接听来电等待总秒数 ÷ 人工接听量", "通话总秒数 ÷ 人工接听量"
    within = f"{seconds}秒内接听量 ÷ {base_name}"
    return [
        ratio(
            ("answer_rate", "接通率", "人工接听量 ÷ 进入排队量"),
            lambda counts: (counts.answered, counts.offered),
            printed=phone.answer_percent,
        ),
        ratio(("within_rate", f"{seconds}秒接通率", within), in_time, printed=phone.within_percent),
        ratio(
            ("asa_seconds", "平均应答时长", wait), lambda counts: (counts.wait_seconds, counts.answered), "秒"
        ),
        ratio(
            ("talk_seconds", "平均通话时长", talk),
            lambda counts: (counts.talk_seconds, counts.answered),
            "秒",
        ),
    ]


def _of_accepted(accepted: Accepted | None, data: ReportData) -> list[Ratio]:
    found = []
    units = sum_of_units(data.units.rows) if data.units else None
    on_time = on_time_ratio(units) if units else None
    pleased = satisfaction(units) if units else None
    if accepted is not None:
        formula = "当场答复量 ÷ 受理量"
        found.append(
            Ratio("at_once_rate", "当场答复率", formula, accepted.at_once, accepted.total,
                  printed=accepted.at_once_percent)
        )  # fmt: skip
        if accepted.on_time is not None or accepted.on_time_percent is not None:
            on_time = Ratio("on_time_rate", "按时办结率", "按时办结量 ÷ 转派工单量", accepted.on_time,
                            accepted.dispatched, printed=accepted.on_time_percent)  # fmt: skip
        if accepted.satisfied is not None or accepted.satisfied_percent is not None:
            asked = _less(accepted.called_back, accepted.no_opinion or 0)
            pleased = Ratio("satisfied_rate", "回访满意率", SATISFACTION_FORMULA, accepted.satisfied, asked,
                            printed=accepted.satisfied_percent)  # fmt: skip
    found += [one for one in (on_time, pleased) if one is not None]
    if units is not None:
        found.append(Ratio("returned_rate", "退单申请率", "被驳回的退单申请量 ÷ 有效工单量",
                           units.returned, units.orders))  # fmt: skip
        found.append(contacted_ratio(units))
    return found


SATISFACTION_FORMULA = "满意量 ÷（回访量 − 未评价量），“一般”不计为满意"


def on_time_ratio(unit: UnitCounts) -> Ratio:
    """按时办结率 of a unit, or of all together."""
    formula = "按时办结量 ÷ 有效工单量"
    return Ratio("on_time_rate", "按时办结率", formula, unit.on_time, unit.orders,
                 printed=unit.on_time_percent)  # fmt: skip


def contacted_ratio(unit: UnitCounts) -> Ratio:
    """联系率 of a unit, or of all together."""
    return Ratio("contacted_rate", "联系率", "联系量 ÷ 有效工单量", unit.contacted, unit.orders,
                 printed=unit.contacted_percent)  # fmt: skip


def satisfaction(unit: UnitCounts) -> Ratio:
    """回访满意率: those with no opinion are left out, so-so is not satisfied."""
    asked = _less(answers(unit), unit.no_opinion or 0)
    return Ratio("satisfied_rate", "回访满意率", SATISFACTION_FORMULA, unit.satisfied, asked,
                 printed=unit.satisfied_percent)  # fmt: skip


def answers(unit: UnitCounts) -> int | None:
    """How many were called back: as printed, else those who said anything."""
    if unit.called_back is not None:
        return unit.called_back
    said = [unit.satisfied, unit.so_so, unit.no_opinion, unit.unsatisfied]
    return None if all(one is None for one in said) else sum(one or 0 for one in said)


SUMMED = ("orders", "on_time", "returned", "contacted", "satisfied", "so_so", "no_opinion", "unsatisfied")


def sum_of_units(rows: tuple[Unit, ...]) -> UnitCounts:
    """All rows together; a column that a row lacks has no sum."""
    sums: dict[str, int | None] = {}
    for name in SUMMED:
        values = [getattr(row, name) for row in rows]
        sums[name] = None if any(value is None for value in values) else sum(values)
    called = [answers(row) for row in rows]
    sums["called_back"] = None if None in called else sum(one or 0 for one in called)
    return UnitCounts.model_validate({name: value for name, value in sums.items() if value is not None})


def _less(whole: int | None, part: int) -> int | None:
    return None if whole is None else max(whole - part, 0)
