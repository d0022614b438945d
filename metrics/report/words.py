"""The words of a report that are no figures: names of sections, sources and periods."""

from __future__ import annotations

from typing import Final

from hotline.core.drafts import RequestType
from hotline.core.events import Outcome
from hotline.metrics.report.compared import until_words
from hotline.metrics.report.data import Period, ReportData, Source, Span

SOURCES: Final = {
    Source.LEDGER: "来源：系统通话台账",
    Source.POINTS: "来源：系统通话要点（由通话文字按规则识别）",
    Source.TRIALS: "来源：系统拨测记录",
    Source.IMPORTED: "来源：填报数据",
    Source.ADDED: "来源：填报数据，由各日、各周的数据相加",
    Source.SCORED: "来源：按考核方案计算",
}
TYPES: Final = {
    RequestType.ENQUIRY: "咨询",
    RequestType.HELP: "求助",
    RequestType.COMPLAINT: "投诉",
    RequestType.SUGGESTION: "建议",
    RequestType.OTHER: "其他",
    RequestType.INVALID: "无效",
}
UNKNOWN_TYPE: Final = "未识别"
OUTCOMES: Final = {
    Outcome.ANSWERED: "人工接听",
    Outcome.ABANDONED: "排队放弃",
    Outcome.SHORT_ABANDON: "短时放弃",
    Outcome.TIMEOUT: "排队超时",
    Outcome.FULL: "队列已满",
    Outcome.EMPTY: "无人值守",
    Outcome.KEY_EXIT: "按键离开",
    Outcome.CALLBACK: "登记回拨",
    Outcome.TRANSFERRED: "转其他队列",
}
SECTIONS: Final = {
    "phone": "电话接听",
    "accepted": "受理情况",
    "channels": "受理渠道",
    "types": "诉求类型",
    "topics": "热点诉求",
    "trend": "走势",
    "units": "承办单位",
    "scores": "分中心考核",
    "test_calls": "拨测",
    "seats": "特服席",
    "knowledge": "知识库",
    "cases": "典型案例",
    "topic": "专题",
}
MISSING: Final = {
    "phone": "系统台账中没有本期来电，也未填报",
    "accepted": "系统不产生此项数据，本期未填报",
    "channels": "系统不产生此项数据，本期未填报",
    "types": "没有通话要点（由通话文字识别），也未填报",
    "topics": "没有通话要点（由通话文字识别），也未填报",
    "trend": "可比的时段不足两期",
    "lines": "系统台账中没有本期来电，也未填报",
    "units": "系统不产生此项数据，本期未填报",
    "scores": "未提供各分中心的考核数据",
    "test_calls": "本期没有拨测记录，也未填报",
    "seats": "系统不产生此项数据，本期未填报",
    "knowledge": "系统不产生此项数据，本期未填报",
    "cases": "本期未填报",
}
"""Why a section may be empty: what a monthly report says in its place."""
TITLES: Final = {
    Span.DAY: "运行情况日报",
    Span.WEEK: "运行情况周报",
    Span.MONTH: "运行情况通报",
    Span.RANGE: "专题报告",
}
THIS: Final = {Span.DAY: "当日", Span.WEEK: "本周", Span.MONTH: "本月", Span.RANGE: "本期"}
NUMERALS: Final = "一二三四五六七八九十"


def period_words(period: Period) -> str:
    """2026年10月; 2026年第41周（10月5日至10月11日）; 2026年10月5日."""
    start, last = period.start, period.last
    day = f"{start.year}年{start.month}月{start.day}日"
    match period.span:
        case Span.MONTH:
            return f"{start.year}年{start.month}月"
        case Span.WEEK:
            year, week, _ = start.isocalendar()
            return f"{year}年第{week}周（{start.month}月{start.day}日至{last.month}月{last.day}日）"
        case Span.RANGE if period.start != last:
            until = f"{last.year}年" if last.year != start.year else ""
            return f"{day}至{until}{last.month}月{last.day}日"
        case _:
            return day


def counted_words(data: ReportData, section: str = "") -> str:
    """The period, of one that goes on with how much of it is counted: 2026年11月（截至11月21日08:49）.

    ``section``: what is told; of an imported one nobody here knows how far it goes.
    """
    words, until = period_words(data.period), until_words(data)
    if not until or data.sources.get(section) is Source.IMPORTED:
        return words
    return f"{words[:-1]}，{until}）" if words.endswith("）") else f"{words}（{until}）"


def number_words(period: Period) -> str:
    """2026年第10期: the month's, week's or day's place in its year; specials have none."""
    match period.span:
        case Span.MONTH:
            return f"{period.start.year}年第{period.start.month}期"
        case Span.WEEK:
            year, week, _ = period.start.isocalendar()
            return f"{year}年第{week}期"
        case Span.DAY:
            return f"{period.start.year}年第{period.start.timetuple().tm_yday}期"
        case Span.RANGE:
            return "专报"


def missing_words(section: str) -> str:
    """Says of a section that it is empty, and why: 受理渠道：无数据（系统不产生此项数据，本期未填报）."""
    name = "专线接听" if section == "lines" else SECTIONS[section]
    return f"{name}：无数据（{MISSING[section]}）。"


def source_words(data: ReportData, section: str) -> str:
    """Where a section's figures come from."""
    told = SOURCES[data.sources.get(section, Source.IMPORTED)]
    return f"{told}（{data.origins[section]}）" if section in data.origins else told


def trend_labels(data: ReportData) -> list[str]:
    """What its points are called; the last of a period that goes on is not whole."""
    names = [trend_words(one.name) for one in data.trend]
    if (until := until_words(data)) and data.sources.get("trend") is not Source.IMPORTED:
        names[-1:] = [f"{name}（{until}）" for name in names[-1:]]
    return names


def trend_words(name: str) -> str:
    """2026-10 as 2026年10月; other names as they are."""
    year, _, number = name.partition("-")
    return f"{year}年{int(number)}月" if len(name) == 7 and number.isdigit() else name


def trend_title(data: ReportData) -> str:
    """近6个月走势; 近6周走势; 近7日走势."""
    unit = {Span.DAY: "日", Span.WEEK: "周", Span.MONTH: "个月", Span.RANGE: "日"}[data.period.span]
    return f"近{len(data.trend)}{unit}走势"
