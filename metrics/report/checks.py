"""The arithmetic of a report: parts against sums, rates against counts, children against parents.

It holds for our own figures by the way they are made; imported ones are often printed with slips. What is
summed are counts and points as they were given, never percents; a printed figure may differ from what the
counts give by as much as its own rounding can do, and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hotline.metrics.report.cells import sum_known
from hotline.metrics.report.data import (
    Accepted,
    Breakdown,
    Counted,
    DialResult,
    LineCount,
    Phone,
    PhoneCounts,
    ReportData,
    Source,
    UnitCounts,
    Units,
)
from hotline.metrics.report.numbers import count_change, percent
from hotline.metrics.report.ratios import (
    SUMMED,
    Ratio,
    answers,
    contacted_ratio,
    on_time_ratio,
    ratios,
    satisfaction,
    sum_of_units,
)
from hotline.metrics.report.score_checks import score_slips

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
    """Everything in a report that does not add up, in its order."""
    return tuple(_all(data))


def _all(data: ReportData) -> Iterator[Disagreement]:
    for remark in data.remarks:
        yield Disagreement("导入数据", remark)
    if data.phone is not None:
        yield from _phone(data.phone, imported=data.sources.get("phone") is Source.IMPORTED)
    for one in ratios(data):
        yield from _ratio(one)
    if data.accepted is not None:
        yield from _accepted(data.accepted)
    if data.channels is not None:
        yield from _breakdown("受理渠道", data.channels, whole=True)
        yield from _same_total(data, "受理渠道", data.channels)
    if data.types is not None:
        yield from _breakdown("诉求类型", data.types, whole=True)
        if data.sources.get("types") == data.sources.get("accepted"):
            yield from _same_total(data, "诉求类型", data.types)
    if data.topics is not None:
        yield from _breakdown("热点诉求", data.topics, whole=False)
    yield from _trend(data)
    if data.units is not None:
        yield from _units(data.units)
    for text in score_slips(data.scores, data.scheme):
        yield Disagreement("分中心考核", text)
    for dial in data.test_calls:
        yield from _dial(dial)
    for seat in data.seats:
        yield from _changed(f"特服席 {seat.name}", seat)


def _answered(counts: PhoneCounts | None) -> int | None:
    return None if counts is None else counts.answered


_LineCounts = Callable[[LineCount], int | None]
_LINE_SUMS: tuple[tuple[str, _LineCounts, Callable[[Phone], int | None]], ...] = (
    ("专线接听", lambda line: line.answered, lambda phone: phone.total.answered),
    ("专线进入排队", lambda line: line.offered, lambda phone: phone.total.offered),
    ("专线时限内接听", lambda line: line.within, lambda phone: phone.total.within),
    ("专线上期接听", lambda line: line.previous, lambda phone: _answered(phone.previous)),
    ("专线上年同期接听", lambda line: line.year_ago, lambda phone: _answered(phone.year_ago)),
)
"""Columns of the table of lines, and the total that each makes."""
_NOW = 3  # columns of the period itself; in earlier ones lines may have been there that no longer are


def _phone(phone: Phone, *, imported: bool) -> Iterator[Disagreement]:
    total = phone.total
    for where, column, whole in _LINE_SUMS if imported else _LINE_SUMS[:_NOW]:
        stated, listed = whole(phone), sum_known(map(column, phone.lines))
        if stated is not None and listed is not None and listed != stated:
            yield Disagreement(where, _sum_text("合计", stated, "各专线", listed))
        yield from _lines(where, column, phone.lines)
    yield from _line_rates(phone.lines)
    if total.within is not None and total.within > total.answered:
        text = f"{phone.within_seconds}秒内接听{total.within:,}多于接听{total.answered:,}"
        yield Disagreement("电话接听", text)
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


def _lines(where: str, column: _LineCounts, lines: tuple[LineCount, ...]) -> Iterator[Disagreement]:
    for line in lines:
        whole, below = column(line), sum_known(map(column, line.lines))
        if whole is not None and below is not None and below != whole:
            yield Disagreement(f"{where} {line.label}", _sum_text("合计", whole, "下级专线", below))
        yield from _lines(where, column, line.lines)


def _line_rates(lines: tuple[LineCount, ...]) -> Iterator[Disagreement]:
    for line in lines:
        where = f"专线接听 {line.label}"
        if line.offered is not None and line.answered > line.offered:
            yield Disagreement(where, f"接听{line.answered:,}多于进入排队{line.offered:,}")
        if line.within is not None and line.within > line.answered:
            yield Disagreement(where, f"时限内接听{line.within:,}多于接听{line.answered:,}")
        if line.offered is not None:
            yield from _printed(f"{where}接通率", line.answer_percent, percent(line.answered, line.offered))
        change = count_change(line.answered, line.previous)
        yield from _printed(f"{where}环比", line.change, change.signed if change else None)
        yield from _line_rates(line.lines)


def _ratio(one: Ratio) -> Iterator[Disagreement]:
    if one.unit == "%" and one.numerator is not None and one.denominator is not None:
        if one.numerator > one.denominator:
            text = f"分子{one.numerator:,.0f}大于分母{one.denominator:,.0f}（{one.formula}）"
            yield Disagreement(one.name, text)
        yield from _printed(one.name, one.printed, one.counted)


def _printed(where: str, printed: float | None, counted: float | None) -> Iterator[Disagreement]:
    if printed is not None and counted is not None and abs(printed - counted) > TOLERANCE + 1e-9:
        yield Disagreement(where, f"填报为{printed:.2f}%，按数量计算为{counted:.2f}%")


def _accepted(accepted: Accepted) -> Iterator[Disagreement]:
    if accepted.at_once is not None and accepted.dispatched is not None:
        parts = accepted.at_once + accepted.dispatched
        if parts != accepted.total:
            yield Disagreement("受理情况", _sum_text("受理", accepted.total, "当场答复与转派", parts))
    if accepted.called_back is not None and (accepted.no_opinion or 0) > accepted.called_back:
        text = f"未评价{accepted.no_opinion:,}多于回访{accepted.called_back:,}"
        yield Disagreement("受理情况", text)
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
    shares = [row.percent for row in parts.rows if row.percent is not None]
    if whole and shares and len(shares) == len(parts.rows):
        yield from _hundred(where, shares)
    for row in parts.rows:
        yield from _printed(f"{where} {row.name}占比", row.percent, percent(row.count, parts.whole))
        yield from _changed(f"{where} {row.name}", row)


def _hundred(where: str, shares: list[float]) -> Iterator[Disagreement]:
    """Rounded shares need not make 100 % to the last digit: each may be off by half a hundredth."""
    summed = sum(shares)
    if abs(summed - 100) > TOLERANCE * len(shares) + 1e-9:
        yield Disagreement(where, f"各项占比相加为{summed:.2f}%，不是100%")


def _changed(where: str, row: Counted) -> Iterator[Disagreement]:
    change = count_change(row.count, row.previous)
    yield from _printed(f"{where}环比", row.change, change.signed if change else None)


def _same_total(data: ReportData, where: str, parts: Breakdown) -> Iterator[Disagreement]:
    if data.accepted is not None and parts.whole != data.accepted.total:
        yield Disagreement(where, f"合计{parts.whole:,}，受理量为{data.accepted.total:,}，两者不一致")


def _trend(data: ReportData) -> Iterator[Disagreement]:
    """The trend's last month is the report's own; if that is over, 环比 is taken of the one before it."""
    phone, accepted = data.phone, data.accepted
    if not data.trend or data.trend[-1].name != data.period.name:
        return
    now = (data.trend[-1], phone.total.answered if phone else None, accepted.total if accepted else None)
    pairs = [now]
    if len(data.trend) > 1 and data.until is None:
        before = phone.previous.answered if phone and phone.previous else None
        pairs.append((data.trend[-2], before, accepted.previous if accepted else None))
    for point, answered, taken in pairs:
        for name, shown, told in (("接听量", point.answered, answered), ("受理量", point.accepted, taken)):
            if shown is not None and told is not None and shown != told:
                yield Disagreement("走势", f"{point.name}{name}为{shown:,}，报告他处为{told:,}")


def _dial(dial: DialResult) -> Iterator[Disagreement]:
    if dial.answered > dial.calls or (dial.within or 0) > dial.answered:
        yield Disagreement("拨测", f"{dial.name}接通{dial.answered}次、拨测{dial.calls}次，部分多于整体")
    mean, longest = dial.mean_seconds, dial.longest_seconds
    if mean is not None and longest is not None and mean > longest:
        yield Disagreement("拨测", f"{dial.name}平均应答{mean:g}秒，长于最长的{longest:g}秒")
    yield from _printed(f"拨测 {dial.name}接通率", dial.answered_percent, percent(dial.answered, dial.calls))


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
    for name in ("on_time", "returned", "contacted", "called_back"):
        value = getattr(row, name)
        if value is not None and value > row.orders:
            yield Disagreement(where, f"{UNIT_WORDS[name]}{value:,}多于工单{row.orders:,}")
    said = row.model_copy(update={"called_back": None})
    parts = (row.satisfied, row.so_so, row.no_opinion, row.unsatisfied)
    if row.called_back is not None and None not in parts and answers(said) != row.called_back:
        yield Disagreement(where, _sum_text("回访", row.called_back, "各项评价", answers(said) or 0))
    for rate in (on_time_ratio(row), contacted_ratio(row), satisfaction(row)):
        yield from _printed(f"{where} {rate.name}", rate.printed, rate.counted)


def _sum_text(whole: str, total: int, parts: str, summed: int) -> str:
    return f"{whole}为{total:,}，{parts}相加为{summed:,}，相差{abs(total - summed):,}"
