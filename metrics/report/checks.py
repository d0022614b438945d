"""The arithmetic of a report: parts against sums, rates against counts, children against parents.

It holds for our own figures by the way they are made; imported ones are often printed with slips.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hotline.metrics.report.data import Breakdown, LineCount, Phone, ReportData, UnitCounts, Units
from hotline.metrics.report.numbers import count_change, percent
from hotline.metrics.report.ratios import SUMMED, Ratio, answers, ratios, satisfaction, sum_of_units

TOLERANCE = 0.01  # a printed percent may be cut instead of rounded
UNIT_WORDS = {
    "orders": "工单",
    "on_time": "按时办结",
    "returned": "退单驳回",
    "contacted": "联系",
    "called_back": "回访",
    "satisfied": "满意",
    "so_so": "一般",
    "no_opinion": "未评价",
    "unsatisfied": "不满意",
}


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two figures that cannot both be right. ``where``: the table or section."""

    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}：{self.text}"


def disagreements(data: ReportData) -> tuple[Disagreement, ...]:
    """All there are, in the order of the report."""
    return tuple(_all(data))


def _all(data: ReportData) -> Iterator[Disagreement]:
    if data.phone is not None:
        yield from _phone(data.phone)
    for one in ratios(data):
        yield from _ratio(one)
    yield from _accepted(data)
    if data.channels is not None:
        yield from _breakdown("受理渠道", data.channels, whole=True)
        yield from _same_total(data, "受理渠道", data.channels)
    if data.types is not None:
        yield from _breakdown("诉求类型", data.types, whole=True)
        if data.sources.get("types") == data.sources.get("accepted"):
            yield from _same_total(data, "诉求类型", data.types)
    if data.topics is not None:
        yield from _breakdown("热点诉求", data.topics, whole=False)
    if data.units is not None:
        yield from _units(data.units)
    for score in data.scores:
        total = round(sum(score.groups.values()), 2)
        if score.groups and abs(total - score.total) > TOLERANCE:
            yield Disagreement("分中心考核", f"{score.name}总分为{score.total:.2f}，各项之和为{total:.2f}")
    for dial in data.test_calls:
        if dial.answered > dial.calls or (dial.within or 0) > dial.answered:
            yield Disagreement("拨测", f"{dial.name}接通{dial.answered}次、拨测{dial.calls}次，部分多于整体")


def _phone(phone: Phone) -> Iterator[Disagreement]:
    total = phone.total
    listed = sum(line.answered for line in phone.lines)
    if phone.lines and listed != total.answered:
        yield Disagreement("专线接听", _sum_text("合计", total.answered, "各专线", listed))
    yield from _lines(phone.lines)
    if phone.outcomes and total.offered is not None:
        parts = sum(row.count for row in phone.outcomes) - phone.counted_out
        if parts != total.offered:
            yield Disagreement("排队结果", _sum_text("进入排队量", total.offered, "各类结果", parts))
    within, answer = phone.within_percent, phone.answer_percent
    if within is not None and answer is not None and within > answer:
        seconds = phone.within_seconds
        yield Disagreement(
            "接通率",
            f"{seconds}秒接通率{within:.2f}%高于接通率{answer:.2f}%：只有以人工接听量为分母才可能，"
            f"两者分母不同，不能并列比较",
        )


def _lines(lines: tuple[LineCount, ...]) -> Iterator[Disagreement]:
    for line in lines:
        below = sum(child.answered for child in line.lines)
        if line.lines and below != line.answered:
            where = f"专线接听 {line.label}"
            yield Disagreement(where, _sum_text("合计", line.answered, "下级专线", below))
        if line.offered is not None and line.answered > line.offered:
            yield Disagreement(f"专线接听 {line.label}", f"接听{line.answered:,}多于进入排队{line.offered:,}")
        yield from _lines(line.lines)


def _ratio(one: Ratio) -> Iterator[Disagreement]:
    if one.unit == "%" and one.numerator is not None and one.denominator is not None:
        if one.numerator > one.denominator:
            text = f"分子{one.numerator:,.0f}大于分母{one.denominator:,.0f}（{one.formula}）"
            yield Disagreement(one.name, text)
        yield from _printed(one.name, one.printed, one.counted)


def _printed(where: str, printed: float | None, counted: float | None) -> Iterator[Disagreement]:
    if printed is not None and counted is not None and abs(printed - counted) > TOLERANCE + 1e-9:
        yield Disagreement(where, f"填报为{printed:.2f}%，按数量计算为{counted:.2f}%")


def _accepted(data: ReportData) -> Iterator[Disagreement]:
    accepted = data.accepted
    if accepted is None:
        return
    if accepted.at_once is not None and accepted.dispatched is not None:
        parts = accepted.at_once + accepted.dispatched
        if parts != accepted.total:
            yield Disagreement("受理情况", _sum_text("受理", accepted.total, "当场答复与转派", parts))
    for name, now, before, printed in (
        ("受理环比", accepted.total, accepted.previous, accepted.total_change),
        ("转派环比", accepted.dispatched, accepted.dispatched_previous, accepted.dispatched_change),
    ):
        change = None if now is None else count_change(now, before)
        yield from _printed(name, printed, change.signed if change else None)


def _breakdown(where: str, parts: Breakdown, *, whole: bool) -> Iterator[Disagreement]:
    summed = sum(row.count for row in parts.rows)
    if parts.total is not None and (summed != parts.total if whole else summed > parts.total):
        yield Disagreement(where, _sum_text("合计", parts.total, "各项", summed))
    for row in parts.rows:
        yield from _printed(f"{where} {row.name}占比", row.percent, percent(row.count, parts.whole))


def _same_total(data: ReportData, where: str, parts: Breakdown) -> Iterator[Disagreement]:
    if data.accepted is not None and parts.whole != data.accepted.total:
        yield Disagreement(where, f"合计{parts.whole:,}，受理量为{data.accepted.total:,}，两者不一致")


def _units(units: Units) -> Iterator[Disagreement]:
    for row in units.rows:
        yield from _unit(f"承办单位 {row.name}", row)
    if units.total is None:
        return
    sums = sum_of_units(units.rows)
    for name in (*SUMMED, "called_back"):
        printed, summed = getattr(units.total, name), getattr(sums, name)
        if printed is not None and summed is not None and printed != summed:
            text = _sum_text(f"{UNIT_WORDS[name]}合计", printed, "各单位", summed)
            yield Disagreement("承办单位", text)
    yield from _unit("承办单位 合计", units.total)


def _unit(where: str, row: UnitCounts) -> Iterator[Disagreement]:
    for name in ("on_time", "contacted", "called_back"):
        value = getattr(row, name)
        if value is not None and value > row.orders:
            yield Disagreement(where, f"{UNIT_WORDS[name]}{value:,}多于工单{row.orders:,}")
    said = row.model_copy(update={"called_back": None})
    parts = (row.satisfied, row.so_so, row.no_opinion, row.unsatisfied)
    if row.called_back is not None and None not in parts and answers(said) != row.called_back:
        yield Disagreement(where, _sum_text("回访", row.called_back, "各项评价", answers(said) or 0))
    pleased = satisfaction(row)
    yield from _printed(f"{where} 回访满意率", pleased.printed, pleased.counted)


def _sum_text(whole: str, total: int, parts: str, summed: int) -> str:
    return f"{whole}为{total:,}，{parts}相加为{summed:,}，相差{abs(total - summed):,}"
