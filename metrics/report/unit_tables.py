"""Tables of those who serve and are measured: handling units, sub-centres, test calls."""

from __future__ import annotations

from collections.abc import Iterator

from hotline.metrics.report.cards import cards
from hotline.metrics.report.cells import or_dash, table_of
from hotline.metrics.report.data import ReportData, Score, UnitCounts
from hotline.metrics.report.document import Column, Form, Row, Table, Value
from hotline.metrics.report.numbers import NOTHING, percent
from hotline.metrics.report.ratios import answers, on_time_ratio, satisfaction, sum_of_units
from hotline.metrics.report.words import source_words


def units_table(data: ReportData) -> Table | None:
    """Units and what became of their orders, the total last: as printed, else the sums."""
    if data.units is None or not data.units.rows:
        return None
    columns = [
        Column("承办单位", Form.TEXT),
        Column("有效工单"),
        Column("按时办结"),
        Column("按时办结率", Form.PERCENT),
        Column("退单驳回"),
        Column("联系"),
        Column("回访"),
        Column("满意"),
        Column("一般"),
        Column("未评价"),
        Column("不满意"),
        Column("满意率", Form.PERCENT),
    ]
    rows = [Row((row.name, *_unit_cells(row, data))) for row in data.units.rows]
    total = data.units.total or sum_of_units(data.units.rows)
    rows.append(Row(("合计", *_unit_cells(total, data)), strong=True))
    return table_of("t.units", "承办单位办理情况", columns, rows, source_words(data, "units"))


def _unit_cells(unit: UnitCounts, data: ReportData) -> tuple[Value, ...]:
    on_time, pleased = on_time_ratio(unit), satisfaction(unit)
    nothing = 0.0 if data.zero_over_zero == "zero" else NOTHING
    rate = (on_time.value if on_time.value is not None else nothing) if on_time.known else None
    content = (pleased.value if pleased.value is not None else nothing) if pleased.known else None
    return (
        unit.orders,
        unit.on_time,
        rate,
        unit.returned,
        unit.contacted,
        answers(unit),
        unit.satisfied,
        unit.so_so,
        unit.no_opinion,
        unit.unsatisfied,
        content,
    )


def cards_table(data: ReportData) -> Table | None:
    """Cards, each with the rate and the limit it fell under."""
    given = cards(data.units.rows, data.cards) if data.units else ()
    if not given:
        return None
    columns = [
        Column("承办单位", Form.TEXT),
        Column("事由", Form.TEXT),
        Column("牌色", Form.TEXT),
        Column("指标值", Form.PERCENT),
        Column("低于限值", Form.PERCENT),
    ]
    rows = [Row((card.unit, card.why.value, card.colour.value, card.percent, card.limit)) for card in given]
    return table_of("t.cards", "黄牌、红牌", columns, rows, source_words(data, "units"))


def scores_table(data: ReportData) -> Table | None:
    """The ranking of sub-centres, with what each group weighs where the scheme is known."""
    if not data.scores:
        return None
    groups = list(dict.fromkeys(name for score in data.scores for name in score.groups))
    titles = (
        {one.name: f"{one.title}（{one.weight:f}%）" for one in data.scheme.groups} if data.scheme else {}
    )
    columns = [
        Column("名次"),
        Column("分中心", Form.TEXT),
        *(Column(titles.get(name, name), Form.NUMBER) for name in groups),
        Column("总分", Form.NUMBER),
    ]
    rows = [
        Row((score.rank, score.name, *(score.groups.get(name) for name in groups), score.total))
        for score in _by_rank(data)
    ]
    return table_of("t.scores", "分中心考核排名", columns, rows, source_words(data, "scores"))


def cells_tables(data: ReportData) -> Iterator[Table]:
    """Of each group the points of every part, the sum, and what the sum is worth in the total."""
    if data.scheme is None:
        return
    for group in data.scheme.groups:
        if not any(group.name in score.scores for score in data.scores):
            continue
        columns = [
            Column("分中心", Form.TEXT),
            *(Column(f"{part.title}（{part.full:f}分）", Form.NUMBER) for part in group.parts),
            Column(f"折算（{group.weight:f}%）", Form.NUMBER),
        ]
        rows = [
            Row((
                score.name,
                *(score.scores.get(group.name, {}).get(part.name) for part in group.parts),
                score.groups.get(group.name),
            ))
            for score in _by_rank(data)
        ]  # fmt: skip
        title = f"分中心考核得分：{group.title}"
        yield table_of(f"t.scores.{group.name}", title, columns, rows, source_words(data, "scores"))


def _by_rank(data: ReportData) -> list[Score]:
    return sorted(data.scores, key=lambda score: score.rank)


def dials_table(data: ReportData) -> Table | None:
    """Test calls."""
    if not data.test_calls:
        return None
    columns = [
        Column("拨测对象", Form.TEXT),
        Column("拨测次数"),
        Column("接通"),
        Column("接通率", Form.PERCENT),
        Column("15秒内"),
        Column("平均应答（秒）", Form.NUMBER),
        Column("最长应答（秒）", Form.NUMBER),
    ]
    rows = [
        Row(
            (
                dial.name,
                dial.calls,
                dial.answered,
                or_dash(percent(dial.answered, dial.calls)),
                dial.within,
                dial.mean_seconds,
                dial.longest_seconds,
            )
        )
        for dial in data.test_calls
    ]
    return table_of("t.test_calls", "拨测情况", columns, rows, source_words(data, "test_calls"))
