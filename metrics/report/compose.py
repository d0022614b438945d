"""From a report's figures to its document: chapters in the published reports' order. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from hotline.core.sensitive import mask_numbers
from hotline.metrics.report import sentences, surveyed, tables, unit_tables
from hotline.metrics.report.checks import disagreements
from hotline.metrics.report.compared import LAST_YEAR, basis_words, labels
from hotline.metrics.report.data import ReportData, Source, Span
from hotline.metrics.report.document import (
    Block,
    Chart,
    Document,
    Heading,
    Note,
    Paragraph,
    Series,
    Table,
)
from hotline.metrics.report.words import (
    NUMERALS,
    TITLES,
    counted_words,
    missing_words,
    number_words,
    source_words,
    trend_labels,
    trend_title,
)

COMPARED = "环比：数量与上一周期相比，以百分比表示；比率与上一周期相比，以百分点表示。同比：与上年同期相比。"
COMPARED_SO_FAR = "{}、较{}：只与其中同样的日期和时刻相比，数量以百分比表示，比率以百分点表示。"
ROUNDED = "百分数四舍五入保留两位小数；分母为0时记为“—”。"
_COMPARED = ("phone", "accepted", "channels", "types", "topics", "seats")  # sections that have changes
CHECKED = "本报告的合计、占比、比率已逐项核算，未发现不一致。"


def compose(data: ReportData) -> Document:
    """The document of a day, a week or a month. A month says of every part that it lacks why it does."""
    whole = data.period.span is Span.MONTH
    chapters = (
        ("专题情况", (), _topic(data)),
        ("来电摘录", (), _samples(data)),
        ("总体情况", ("phone", "accepted", "channels"), _overall(data)),
        ("诉求构成", ("types",), _parts(data)),
        ("热点诉求", ("topics",), _topics(data)),
        ("走势", ("trend",), _trend(data)),
        ("专线运行情况", ("lines",), _some(tables.lines_table(data))),
        ("通话后满意度评价", (), [*_text("surveys", surveyed.surveys_sentence(data.surveys)),
                                *_some(surveyed.surveys_table(data))]),
        ("承办单位办理情况", ("units",), _units(data)),
        ("分中心考核", ("scores",), _scores(data)),
        ("拨测情况", ("test_calls",), [*_text("test_calls", sentences.dials_sentence(data.test_calls)),
                                   *_some(unit_tables.dials_table(data))]),
        ("特服席与知识库", ("seats", "knowledge"), _seats(data)),
        ("典型案例", ("cases",), _cases(data)),
        ("指标口径与数据核对", (), _checks(data)),
    )  # fmt: skip
    blocks: list[Block] = []
    place = 0
    for title, sections, found in chapters:
        told = [*found, *(_missing(data, sections) if whole else ())]
        if told:
            blocks += [Heading(f"h.{place + 1}", f"{_numeral(place + 1)}、{title}"), *told]
            place += 1
    about = f"：{data.topic.words}" if data.topic else ""
    title = f"{data.site}{TITLES[data.period.span]}{about}"
    return Document(title, data.site, counted_words(data), tuple(blocks), number=number_words(data.period))


def _missing(data: ReportData, sections: Iterable[str]) -> Iterator[Paragraph]:
    for name in sections:
        if not _given(data, name):
            yield Paragraph(f"p.missing.{name}", missing_words(name))


def _given(data: ReportData, section: str) -> bool:
    if section == "lines":
        return data.phone is not None and bool(data.phone.lines)
    found = getattr(data, section)
    return len(found) > 1 if section == "trend" else bool(found)


def _topic(data: ReportData) -> list[Block]:
    topic = data.topic
    if topic is None:
        return []
    told = _text("topic", sentences.topic_sentence(data))
    if not topic.complete:
        told.append(Note("n.topic.many", f"来电过多，仅统计最近的{topic.calls:,}通。", "check"))
    if topic.catching_up:
        told.append(Note("n.topic.index", "部分通话文字尚未编入检索，本次统计可能偏少。", "check"))
    if len(topic.days) > 1 and topic.calls:
        names, values = tuple(day.name for day in topic.days), tuple(day.count for day in topic.days)
        told.append(Chart("c.days", "每日来电量", "line", names, (Series("来电", values),), "通"))
    lists = (
        ("types", "诉求类型", "类型", topic.types),
        ("lines", "来电专线", "专线", topic.lines),
        ("places", "提到的地点", "地点", topic.places),
        ("heard", "高频用语", "用语", topic.heard),
        ("days", "每日来电量", "日期", tuple(day for day in topic.days if day.count)),
    )
    for name, title, head, rows in lists:
        told += _some(tables.counts_table(data, f"t.topic.{name}", title, head, rows, topic.calls))
    return told


def _samples(data: ReportData) -> list[Block]:
    """When, to which line and what was said; the file knows no more of the caller."""
    topic = data.topic
    if topic is None:
        return []
    return [
        Paragraph(f"p.sample.{number}", f"{one.at:%Y-%m-%d %H:%M}，{one.line}：{'……'.join(one.said)}")
        for number, one in enumerate(topic.samples, 1)
    ]


def _overall(data: ReportData) -> list[Block]:
    return [
        *_unfinished(data),
        *_text("phone", sentences.phone_sentence(data)),
        *_text("accepted", sentences.accepted_sentence(data)),
        *_some(tables.totals_table(data)),
        *_text("channels", sentences.parts_sentence(data.channels, "从受理渠道看")),
        *_some(tables.breakdown_table(data, "channels", "受理渠道", "渠道", data.channels)),
        *_some(tables.outcomes_table(data)),
    ]


def _unfinished(data: ReportData) -> list[Block]:
    if data.until is None:
        return []
    if (basis := basis_words(data)) == "":
        return [Note("n.until", "本期尚未开始。", "check")]
    text = f"本期尚未结束，数据截至{data.until:%Y-%m-%d %H:%M}，对比的是{basis}，不是整个上期。"
    if any(data.sources.get(name) is Source.IMPORTED for name in _COMPARED):
        text += "填报数据的环比、同比以填报为准。"
    return [Note("n.until", text, "check")]


def _parts(data: ReportData) -> list[Block]:
    if data.types is None:
        return []
    unit = "通" if data.sources.get("types") == "points" else "件"
    shown = [row for row in data.types.rows if row.count]
    values = tuple(row.count for row in shown)
    names = tuple(row.name for row in shown)
    return [
        *_text("types", sentences.parts_sentence(data.types, "从诉求类型看", unit)),
        *_some(tables.breakdown_table(data, "types", "诉求类型", "类型", data.types)),
        *([Chart("c.types", "诉求类型构成", "pie", names, (Series("数量", values),), unit)] if shown else []),
    ]


def _topics(data: ReportData) -> list[Block]:
    rows = sentences.hottest(data)
    if not rows:
        return []
    names, values = tuple(row.name for row in rows), tuple(row.count for row in rows)
    unit = "通" if data.sources.get("topics") == "points" else "件"
    return [
        *_text("topics", sentences.topics_sentence(data)),
        *_some(tables.topics_table(data)),
        Chart("c.topics", f"热点诉求前{len(rows)}位", "bar", names, (Series("数量", values),), unit),
    ]


def _trend(data: ReportData) -> list[Block]:
    if len(data.trend) < 2:
        return []
    kinds = (
        ("接听量", tuple(one.answered for one in data.trend)),
        ("受理量", tuple(one.accepted for one in data.trend)),
    )
    series = tuple(Series(name, values) for name, values in kinds if any(v is not None for v in values))
    labels = tuple(trend_labels(data))
    unit = "件次" if len(series) > 1 else {"接听量": "个", "受理量": "件"}[series[0].name] if series else "件"
    chart = Chart("c.trend", trend_title(data), "line", labels, series, unit)
    return [chart, *_some(tables.trend_table(data))]


def _scores(data: ReportData) -> list[Block]:
    return [
        *_text("scores", sentences.scores_sentence(data.scores)),
        *_some(unit_tables.scores_table(data)),
        *_text("scheme", sentences.scheme_sentence(data)),
        *unit_tables.cells_tables(data),
    ]


def _units(data: ReportData) -> list[Block]:
    return [
        *_text("units", sentences.units_sentence(data)),
        *_some(unit_tables.units_table(data)),
        *_text("cards", sentences.cards_sentence(data)),
        *_some(unit_tables.cards_table(data)),
    ]


def _seats(data: ReportData) -> list[Block]:
    told: list[Block] = list(_some(tables.seats_table(data)))
    if data.knowledge is not None:
        known = data.knowledge
        text = f"知识库查询{known.asked:,}次，答复{known.answered:,}次"
        text += f"；现有知识{known.entries:,}条" if known.entries is not None else ""
        text += f"，本期新增{known.added:,}条" if known.added is not None else ""
        told.append(Paragraph("p.knowledge", f"{text}。（{source_words(data, 'knowledge')}）"))
    return told


def _cases(data: ReportData) -> list[Block]:
    told: list[Block] = []
    for number, case in enumerate(data.cases, 1):
        unit = f"（{case.unit}）" if case.unit else ""
        told.append(
            Heading(f"h.case.{number}", f"（{_numeral(number)}）{mask_numbers(case.title)}{unit}", level=2)
        )
        told += _text(f"case.{number}", mask_numbers(case.text))
    return told


def _checks(data: ReportData) -> list[Block]:
    found = disagreements(data)
    notes = [Note(_id_of(str(one)), f"数据不一致——{one}。", "check") for one in found]
    checked = notes or [Note("n.checked", CHECKED, "source")]
    return [*_some(tables.rates_table(data)), Note("n.manner", _manner(data), "source"), *checked]


def _id_of(slip: str) -> str:
    """The same for the same words: what people say of a disagreement stays with it when others come or go."""
    return f"n.check.{hashlib.sha256(slip.encode()).hexdigest()[:8]}"


def _manner(data: ReportData) -> str:
    """How figures are compared and rounded. Sections of the report's own say whether it goes on."""
    label, _ = labels(data, "")
    told = COMPARED if data.until is None else COMPARED_SO_FAR.format(label, LAST_YEAR)
    return told + ROUNDED


def _text(name: str, text: str) -> list[Block]:
    return [Paragraph(f"p.{name}", text)] if text else []


def _some(table: Table | None) -> Sequence[Block]:
    return [table] if table is not None else []


def _numeral(number: int) -> str:
    """一 to 九十九."""
    tens, ones = divmod(number, 10)
    ten = "" if not tens else "十" if tens == 1 else f"{NUMERALS[tens - 1]}十"
    return ten + (NUMERALS[ones - 1] if ones else "")
