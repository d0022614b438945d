"""What callers said after the talk (满意度), as a part of a report: from the ledger's rows to its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from hotline.core.figures import Dimension
from hotline.metrics.measures.summing import Summing
from hotline.metrics.report.cells import or_dash, table_of
from hotline.metrics.report.compared import Between
from hotline.metrics.report.data import ReportData, SurveyCounts, Surveys
from hotline.metrics.report.document import Column, Form, Row, Table, Value
from hotline.metrics.report.numbers import percent, written_percent
from hotline.metrics.report.sentences import line_name
from hotline.metrics.report.words import source_words
from hotline.store.counts import COUNT

ANSWERS: Final = ("非常满意", "满意", "基本满意", "不满意", "非常不满意")
_ASKED: Final = COUNT["surveyed"]
_KEYS: Final = tuple(COUNT[f"survey_{key}"] for key in (5, 4, 3, 2, 1))


async def surveys_of(summing: Summing, now: Between, before: Between | None) -> Surveys | None:
    """The answers of a time and of the one that it is compared with; None if nobody was asked in it."""
    wanted = [now, before] if before else [now]
    found, *earlier = await summing.sums((_ASKED, *_KEYS), wanted, Dimension.LINE)
    total = _counts(found.total[0])
    if not total.asked:
        return None
    site = summing.site
    lines = []
    for line in site.lines:
        counts = _counts(found.groups.get(line.id, [{}])[0])
        if counts.asked:
            about = {"label": line.label, "name": line.name, "depth": len(list(site.upward(line))) - 1}
            lines.append(counts.model_copy(update=about))
    previous = [_counts(one.total[0]) for one in earlier]
    return Surveys(total=total, previous=next(iter(previous), None), lines=tuple(lines))


def _counts(sums: Mapping[str, int]) -> SurveyCounts:
    return SurveyCounts(asked=sums.get(_ASKED.id, 0), answers=tuple(sums.get(one.id, 0) for one in _KEYS))


def surveys_sentence(surveys: Surveys | None) -> str:
    """How many were asked, answered and were satisfied."""
    if surveys is None:
        return ""
    total = surveys.total
    return (
        f"坐席挂机后请来电人按键评价{total.asked:,}次，参评{total.answered:,}次，"
        f"参评率{written_percent(percent(total.answered, total.asked))}，"
        f"通话满意率{written_percent(percent(total.satisfied, total.answered))}。"
    )


def surveys_table(data: ReportData) -> Table | None:
    """Every answer by line, those of the lines under it included; the whole last."""
    if data.surveys is None:
        return None
    columns = [
        Column("专线", Form.TEXT),
        Column("邀请评价"),
        Column("参评"),
        *(Column(name) for name in ANSWERS),
        Column("参评率", Form.PERCENT),
        Column("通话满意率", Form.PERCENT),
    ]
    rows: Sequence[Row] = [
        *(Row(_cells(line_name(one.label, one.name, " "), one), one.depth) for one in data.surveys.lines),
        Row(_cells("合计", data.surveys.total), strong=True),
    ]
    return table_of("t.surveys", "通话后满意度评价", columns, rows, source_words(data, "surveys"))


def _cells(name: str, counts: SurveyCounts) -> tuple[Value, ...]:
    return (
        name,
        counts.asked,
        counts.answered,
        *counts.answers,
        or_dash(percent(counts.answered, counts.asked)),
        or_dash(percent(counts.satisfied, counts.answered)),
    )
