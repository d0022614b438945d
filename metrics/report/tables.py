"""The tables of a report. A column that nobody gave is left out; a cell that nobody gave is empty."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hotline.metrics.report.cards import cards
from hotline.metrics.report.data import Breakdown, Counted, LineCount, ReportData, UnitCounts
from hotline.metrics.report.document import Column, Form, Row, Table, Value
from hotline.metrics.report.numbers import NOTHING, count_change, percent, rate_change
from hotline.metrics.report.ratios import answers, on_time_ratio, ratios, satisfaction, sum_of_units
from hotline.metrics.report.sentences import hottest, line_name
from hotline.metrics.report.words import SCORE_GROUPS, source_words, trend_title, trend_words

MOM, YOY = "环比", "同比"


def lines_table(data: ReportData) -> Table | None:
    """The tree of lines with its sub-totals."""
    phone = data.phone
    if phone is None or not phone.lines:
        return None
    rows = [
        Row(
            (
                "合计",
                *_line_cells(
                    phone.total.answered,
                    phone.total.offered,
                    phone.total.within,
                    phone.previous.answered if phone.previous else None,
                    phone.year_ago.answered if phone.year_ago else None,
                ),
            ),
            strong=True,
        )
    ]
    rows += _line_rows(phone.lines, 0)
    columns = [
        Column("专线", Form.TEXT),
        Column("接听量"),
        Column("进入排队"),
        Column("接通率", Form.PERCENT),
        Column(f"{phone.within_seconds}秒内接听"),
        Column(MOM, Form.CHANGE),
        Column(YOY, Form.CHANGE),
    ]
    return _table("t.lines", "各专线接听情况", columns, rows, source_words(data, "phone"))


def _line_rows(lines: Iterable[LineCount], depth: int) -> Iterator[Row]:
    for line in lines:
        name = line_name(line.label, line.name, " ")
        cells = _line_cells(line.answered, line.offered, line.within, line.previous, line.year_ago)
        yield Row((name, *cells), depth, strong=bool(line.lines))
        yield from _line_rows(line.lines, depth + 1)


def _line_cells(
    answered: int, offered: int | None, within: int | None, before: int | None, ago: int | None
) -> tuple[Value, ...]:
    rate = None if offered is None else _or_dash(percent(answered, offered))
    return answered, offered, rate, within, _moved(answered, before), _moved(answered, ago)


def breakdown_table(
    data: ReportData, section: str, title: str, name: str, parts: Breakdown | None
) -> Table | None:
    """Parts, their shares and their changes, the whole last."""
    if parts is None:
        return None
    rows = [_part(row, parts.whole) for row in parts.rows]
    before, ago = _sum(row.previous for row in parts.rows), _sum(row.year_ago for row in parts.rows)
    moved = _moved(parts.whole, before), _moved(parts.whole, ago)
    share = _or_dash(percent(parts.whole, parts.whole))
    rows.append(Row(("合计", parts.whole, share, *moved), strong=True))
    return _table(f"t.{section}", title, _part_columns(name), rows, source_words(data, section))


def topics_table(data: ReportData) -> Table | None:
    """The hottest topics."""
    rows = hottest(data)
    if not rows or data.topics is None:
        return None
    title = f"热点诉求前{len(rows)}位"
    whole = data.topics.total  # of topics alone the shares would be of what was recognised only
    shown = [_part(row, whole) for row in rows]
    return _table("t.topics", title, _part_columns("诉求"), shown, source_words(data, "topics"))


def _part_columns(name: str) -> list[Column]:
    return [
        Column(name, Form.TEXT),
        Column("数量"),
        Column("占比", Form.PERCENT),
        Column(MOM, Form.CHANGE),
        Column(YOY, Form.CHANGE),
    ]


def _part(row: Counted, whole: int | None) -> Row:
    share = None if whole is None else _or_dash(percent(row.count, whole))
    return Row((row.name, row.count, share, _moved(row.count, row.previous), _moved(row.count, row.year_ago)))


def outcomes_table(data: ReportData) -> Table | None:
    """How the waits ended."""
    phone = data.phone
    if phone is None or not phone.outcomes:
        return None
    whole = sum(row.count for row in phone.outcomes)
    rows = [_part(row, whole) for row in phone.outcomes]
    rows.append(Row(("合计", whole, _or_dash(percent(whole, whole)), None, None), strong=True))
    return _table("t.outcomes", "排队结果", _part_columns("结果"), rows, source_words(data, "phone"))


def trend_table(data: ReportData) -> Table | None:
    """Some months one after the other."""
    if not data.trend:
        return None
    rows = [Row((trend_words(one.name), one.answered, one.accepted)) for one in data.trend]
    columns = [Column("时间", Form.TEXT), Column("接听量"), Column("受理量")]
    return _table("t.trend", trend_title(data), columns, rows, source_words(data, "trend"))


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
    return _table("t.units", "承办单位办理情况", columns, rows, source_words(data, "units"))


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
    return _table("t.cards", "黄牌、红牌", columns, rows, source_words(data, "units"))


def scores_table(data: ReportData) -> Table | None:
    """The ranking of sub-centres."""
    if not data.scores:
        return None
    groups = list(dict.fromkeys(name for score in data.scores for name in score.groups))
    columns = [
        Column("名次"),
        Column("分中心", Form.TEXT),
        *(Column(SCORE_GROUPS.get(name, name), Form.NUMBER) for name in groups),
        Column("总分", Form.NUMBER),
    ]
    rows = [
        Row((score.rank, score.name, *(score.groups.get(name) for name in groups), score.total))
        for score in sorted(data.scores, key=lambda score: score.rank)
    ]
    return _table("t.scores", "分中心考核排名", columns, rows, source_words(data, "scores"))


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
                _or_dash(percent(dial.answered, dial.calls)),
                dial.within,
                dial.mean_seconds,
                dial.longest_seconds,
            )
        )
        for dial in data.test_calls
    ]
    return _table("t.test_calls", "拨测情况", columns, rows, source_words(data, "test_calls"))


def seats_table(data: ReportData) -> Table | None:
    """Calls at special seats."""
    if not data.seats:
        return None
    rows = [
        Row((one.name, one.count, _moved(one.count, one.previous), _moved(one.count, one.year_ago)))
        for one in data.seats
    ]
    columns = [
        Column("席位", Form.TEXT),
        Column("受理量"),
        Column(MOM, Form.CHANGE),
        Column(YOY, Form.CHANGE),
    ]
    return _table("t.seats", "特服席运行情况", columns, rows, source_words(data, "seats"))


def counts_table(
    data: ReportData, name: str, title: str, head: str, rows: Sequence[Counted], whole: int
) -> Table | None:
    """Parts that may overlap, each with its share of the whole."""
    columns = [Column(head, Form.TEXT), Column("通数"), Column("占比", Form.PERCENT)]
    shown = [Row((row.name, row.count, _or_dash(percent(row.count, whole)))) for row in rows]
    return _table(name, title, columns, shown, source_words(data, "topic")) if shown else None


def rates_table(data: ReportData) -> Table | None:
    """Every rate with what it was made of: the last page of the report."""
    rows = []
    for one in ratios(data):
        form_value: Value = one.value if one.value is not None else NOTHING
        moved = rate_change(one.value, one.before) if one.unit == "%" else None
        shown = f"{form_value:.2f}{one.unit}" if isinstance(form_value, float) else form_value
        rows.append(
            Row(
                (
                    one.name,
                    one.formula,
                    one.numerator,
                    one.denominator,
                    shown,
                    moved.signed if moved else None,
                )
            )
        )
    columns = [
        Column("指标", Form.TEXT),
        Column("计算口径", Form.TEXT),
        Column("分子"),
        Column("分母"),
        Column("结果", Form.TEXT),
        Column("环比（百分点）", Form.POINTS),
    ]
    return _table("t.rates", "指标口径", columns, rows, "来源：由上列数据计算") if rows else None


def _table(name: str, title: str, columns: Sequence[Column], rows: Sequence[Row], source: str) -> Table:
    """A table without the columns that are empty from top to bottom."""
    kept = [at for at in range(len(columns)) if any(row.cells[at] is not None for row in rows)]
    return Table(
        name,
        title,
        tuple(columns[at] for at in kept),
        tuple(Row(tuple(row.cells[at] for at in kept), row.depth, row.strong) for row in rows),
        source,
    )


def _moved(now: int, before: int | None) -> Value:
    """The change in percent; 新增 where there was nothing before."""
    change = count_change(now, before)
    if change is None:
        return None
    signed = change.signed
    return "新增" if signed is None else signed


def _sum(values: Iterable[int | None]) -> int | None:
    found = list(values)
    known = [value for value in found if value is not None]
    return sum(known) if found and len(known) == len(found) else None


def _or_dash(rate: float | None) -> Value:
    return NOTHING if rate is None else rate
