"""The sentences of a report, in the manner of the published ones, by rule from its figures.

Each function returns one paragraph, or an empty text where nobody gave the figures. A count's change is told
in percent, a rate's in percentage points; of what has no earlier figure nothing is told.
"""

from __future__ import annotations

from collections.abc import Sequence

from hotline.metrics.report.cards import Card, Colour, Why, cards
from hotline.metrics.report.compared import labels
from hotline.metrics.report.data import Breakdown, Counted, DialResult, Phone, ReportData, Score, Unit
from hotline.metrics.report.numbers import (
    Change,
    Way,
    count_change,
    percent,
    rate_change,
    said_change,
    stated_change,
    written_percent,
)
from hotline.metrics.report.ratios import Ratio, on_time_ratio, ratios, satisfaction, sum_of_units
from hotline.metrics.report.words import THIS, counted_words, period_words

NAMED_AT_MOST = 3  # units of the same rate that are told by name


def phone_sentence(data: ReportData) -> str:
    """Calls answered, with their changes, the rates of the telephone and the busiest lines."""
    phone = data.phone
    if phone is None:
        return ""
    now, before, ago = phone.total, phone.previous, phone.year_ago
    called = labels(data, "phone")
    changes = _changes(
        called, now.answered, before.answered if before else None, ago.answered if ago else None
    )
    text = f"{counted_words(data, 'phone')}，{data.site}人工接听来电{now.answered:,}个{changes}"
    if now.offered is not None:
        text += f"，进入排队{now.offered:,}个"
    if now.self_service is not None:
        text += f"，智能应答{now.self_service:,}个"
    text += "。"
    told = [_rate(one, called[0]) for one in ratios(data) if one.id in _PHONE_RATES]
    return text + (f"{'；'.join(told)}。" if told else "") + _busiest(phone)


_PHONE_RATES = ("answer_rate", "within_rate", "asa_seconds", "talk_seconds")


def _busiest(phone: Phone) -> str:
    lines = phone.lines
    while len(lines) == 1 and lines[0].lines:  # all lines hang under one: the table of the lines under it
        lines = lines[0].lines
    busy = sorted((line for line in lines if line.answered), key=lambda line: -line.answered)[:3]
    if len(lines) < 2 or not busy:
        return ""
    named = [_line_told(line.label, line.name, line.answered) for line in busy]
    if len(named) == 1:
        return f"接听量居首的专线为{named[0]}。"
    return f"接听量{_first(len(named))}的专线为{'、'.join(named)}。"


def line_name(label: str, name: str, between: str = "") -> str:
    """12315市场监管局; a line without a number by its name alone."""
    if not name or name == label:
        return label
    return f"{label}{between}{name}" if label[:1].isdigit() else name


def _line_told(label: str, name: str, count: int) -> str:
    """12333 5个: a bare number keeps apart from the count."""
    told = line_name(label, name)
    return f"{told}{' ' if told[-1:].isdigit() else ''}{count:,}个"


def accepted_sentence(data: ReportData) -> str:
    """Requests accepted, answered at once, dispatched, on time, and satisfaction."""
    accepted = data.accepted
    if accepted is None:
        return ""
    found = {one.id: one for one in ratios(data)}
    called = labels(data, "accepted")
    changes = _changes(called, accepted.total, accepted.previous, accepted.year_ago)
    if not changes and (stated := said_change(stated_change(accepted.total_change), called[0])):
        changes = f"，{stated}"
    parts = [f"{THIS[data.period.span]}共受理诉求{accepted.total:,}件{changes}"]
    if accepted.at_once is not None:
        parts.append(
            f"当场答复{accepted.at_once:,}件，当场答复率{written_percent(found['at_once_rate'].value)}"
        )
    if accepted.dispatched is not None:
        known = accepted.dispatched_previous
        change = count_change(accepted.dispatched, known) or stated_change(accepted.dispatched_change)
        moved = said_change(change, called[0])
        parts.append(f"转派承办单位{accepted.dispatched:,}件{moved and f'，{moved}'}")
    if (on_time := found.get("on_time_rate")) is not None:
        count = f"按时办结{accepted.on_time:,}件，" if accepted.on_time is not None else ""
        parts.append(f"{count}按时办结率{written_percent(on_time.value)}")
    if (pleased := found.get("satisfied_rate")) is not None:
        parts.append(f"回访满意率{written_percent(pleased.value)}")
    return "；".join(parts) + "。"


def parts_sentence(parts: Breakdown | None, opening: str, unit: str = "件") -> str:
    """从诉求类型看，咨询10,914件、占39.29%，…; rows with nothing are left out."""
    if parts is None:
        return ""
    there = [row for row in parts.rows if row.count]
    if not there:
        return f"{opening}，各项均为0。"
    told = [
        f"{row.name}{row.count:,}{unit}、占{written_percent(percent(row.count, parts.whole))}"
        for row in there
    ]
    return f"{opening}，{'；'.join(told)}。"


def topics_sentence(data: ReportData) -> str:
    """The hottest topics, which are new among them, and which grew most."""
    rows = hottest(data)
    if not rows:
        return ""
    named = "、".join(f"{row.name}（{row.count:,}件{_share(row, data)}）" for row in rows[:5])
    text = f"热点诉求{_first(min(len(rows), 5))}的为{named}。" if len(rows) > 1 else f"热点诉求为{named}。"
    new = [row.name for row in rows if row.previous == 0 and row.count]
    if new:
        text += f"{'、'.join(new)}为新增热点。"
    grown = [(change, row) for row in rows if (change := count_change(row.count, row.previous)) is not None]
    return text + _most_moved(grown, labels(data, "topics")[0])


def _share(row: Counted, data: ReportData) -> str:
    total = data.topics.total if data.topics else None
    return f"，占{written_percent(percent(row.count, total))}" if total else ""


def _most_moved(changes: Sequence[tuple[Change, Counted]], label: str) -> str:
    text = ""
    for way, word in ((Way.UP, f"{label}增幅最大的为"), (Way.DOWN, f"{label}降幅最大的为")):
        moved = [(change.amount, row.name, change) for change, row in changes if change.way is way]
        if moved:
            _, name, change = max(moved, key=lambda one: one[0])
            text += f"{word}{name}，{said_change(change, label).removeprefix(label)}。"
    return text


def hottest(data: ReportData) -> tuple[Counted, ...]:
    """The topics that the report shows, most calls first; of equals the one given first."""
    rows = data.topics.rows if data.topics else ()
    return tuple(sorted((row for row in rows if row.count), key=lambda row: -row.count)[: data.topics_shown])


def units_sentence(data: ReportData) -> str:
    """All units together, then the best and the slowest."""
    if data.units is None or not data.units.rows:
        return ""
    rows = data.units.rows
    whole = sum_of_units(rows)
    text = (
        f"{len(rows)}个承办单位共承办有效工单{whole.orders:,}件"
        if len(rows) > 1
        else (f"{rows[0].name}承办有效工单{whole.orders:,}件")
    )
    on_time, pleased = on_time_ratio(whole), satisfaction(whole)
    text += f"，按时办结率{written_percent(on_time.value)}" if on_time.known else ""
    text += f"，回访满意率{written_percent(pleased.value)}" if pleased.known else ""
    text += "。"
    text += _extremes("按时办结率", [(row, on_time_ratio(row).value) for row in rows])
    return text + _extremes("回访满意率", [(row, satisfaction(row).value) for row in rows])


def _extremes(name: str, rates: Sequence[tuple[Unit, float | None]]) -> str:
    known = [(rate, unit.name) for unit, rate in rates if rate is not None]
    if len(known) < 2:
        return ""
    best, worst = max(rate for rate, _ in known), min(rate for rate, _ in known)
    if best == worst:
        return f"各单位{name}均为{best:.2f}%。"
    highest = _named([unit for rate, unit in known if rate == best])
    lowest = _named([unit for rate, unit in known if rate == worst])
    return f"{name}最高的为{highest}（{best:.2f}%），最低的为{lowest}（{worst:.2f}%）。"


def cards_sentence(data: ReportData) -> str:
    """Who got which card."""
    if data.units is None or not data.units.rows:
        return ""
    given = cards(data.units.rows, data.cards)
    if not given:
        return f"{THIS[data.period.span]}无承办单位被亮黄牌、红牌。"
    groups = [(why, colour) for why in Why for colour in (Colour.RED, Colour.YELLOW)]
    told = [text for why, colour in groups if (text := _card_text(given, why, colour))]
    return "；".join(told) + "。"


def _card_text(given: Sequence[Card], why: Why, colour: Colour) -> str:
    names = [card.unit for card in given if card.why is why and card.colour is colour]
    return f"{why}{colour}{len(names)}张：{'、'.join(names)}" if names else ""


def scores_sentence(scores: Sequence[Score]) -> str:
    """The first and the last of the ranking."""
    if not scores:
        return ""
    ordered = sorted(scores, key=lambda score: score.rank)
    if len(ordered) == 1:
        return f"{ordered[0].name}考核得分{ordered[0].total:.2f}分。"
    first = _named([score.name for score in ordered if score.rank == ordered[0].rank])
    last = _named([score.name for score in ordered if score.rank == ordered[-1].rank])
    return (
        f"{len(ordered)}个分中心中，得分最高的为{first}（{ordered[0].total:.2f}分），"
        f"最低的为{last}（{ordered[-1].total:.2f}分）。"
    )


def scheme_sentence(data: ReportData) -> str:
    """By which scheme the ranking was worked out, and how it is rounded."""
    if data.scheme is None or not data.scores:
        return ""
    groups = "、".join(f"{group.title}占{group.weight:f}%" for group in data.scheme.groups)
    cells = data.scheme.rounding.cells
    summed = "" if cells is None else f"各项得分四舍五入保留{cells}位小数后相加，"
    return (
        f"考核方案为“{data.scheme.title}”：{groups}。{summed}"
        f"按权重折算并保留{data.scheme.rounding.groups}位小数，各组折算得分之和为总分。"
    )


def dials_sentence(dials: Sequence[DialResult]) -> str:
    """How test calls went."""
    if not dials:
        return ""
    calls, answered = sum(dial.calls for dial in dials), sum(dial.answered for dial in dials)
    text = f"共拨测{calls:,}次，接通{answered:,}次，接通率{written_percent(percent(answered, calls))}"
    slow = [dial for dial in dials if dial.longest_seconds is not None]
    if slow:
        longest = max(slow, key=lambda dial: dial.longest_seconds or 0)
        text += f"；振铃至应答最长{longest.longest_seconds:g}秒（{longest.name}）"
    return text + "。"


def _changes(called: tuple[str, str], now: int, before: int | None, ago: int | None) -> str:
    compared = zip(called, (before, ago), strict=True)
    said = [said_change(count_change(now, then), label) for label, then in compared]
    return "".join(f"，{text}" for text in said if text)


def _rate(one: Ratio, label: str) -> str:
    """接通率88.94%，环比提高0.51个百分点; 平均应答时长8.20秒，环比下降…%."""
    if one.unit == "秒":
        value = "—" if one.value is None else f"{one.value:.2f}秒"
        change = count_change(one.value, one.before) if one.value is not None else None
    else:
        value, change = written_percent(one.value), rate_change(one.value, one.before)
    moved = said_change(change, label)
    return f"{one.name}{value}{moved and f'，{moved}'}"


def _named(names: Sequence[str]) -> str:
    told = "、".join(names[:NAMED_AT_MOST])
    return told if len(names) <= NAMED_AT_MOST else f"{told}等{len(names)}个单位"


def _first(count: int) -> str:
    return f"居前{'一两三四五'[count - 1]}位"


def topic_sentence(data: ReportData) -> str:
    """How often words were said, on which day most, and where."""
    topic = data.topic
    if topic is None:
        return ""
    opening = f"{period_words(data.period)}，通话中提到“{topic.words}”的来电"
    if not topic.calls:
        return f"{opening}为0通。"
    many = "" if topic.complete else "超过"
    text = f"{opening}{many}{topic.calls:,}通，日均{topic.calls / len(topic.days):.2f}通"
    top = max(topic.days, key=lambda day: day.count)
    text += f"，{top.name}最多（{top.count:,}通）。" if len(topic.days) > 1 else "。"
    for word, rows in (
        ("来电专线主要为", topic.lines),
        ("提到较多的地点为", topic.places),
        ("高频用语为", topic.heard),
    ):
        if rows:
            text += f"{word}{'、'.join(f'{row.name}（{row.count:,}通）' for row in rows[:3])}。"
    return text
