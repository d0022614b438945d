"""The tables of a report. A column that nobody gave is left out; a cell that nobody gave is empty."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from hotline.metrics.report.cells import moved, or_dash, sum_known, table_of
from hotline.metrics.report.compared import labels
from hotline.metrics.report.data import Breakdown, Counted, LineCount, PhoneCounts, ReportData
from hotline.metrics.report.document import Column, Form, Row, Table, Value
from hotline.metrics.report.numbers import NOTHING, earlier, percent, rate_change
from hotline.metrics.report.ratios import ratios
from hotline.metrics.report.sentences import hottest, line_name
from hotline.metrics.report.words import source_words, trend_labels, trend_title


def totals_table(data: ReportData) -> Table | None:
    """The period in a few counts. 环比 is always there: a dash where the earlier count is not known."""
    rows = [*_phone_totals(data), *_accepted_totals(data)]
    if not rows:
        return None
    names = [name for name in ("phone", "accepted") if getattr(data, name) is not None]
    changes = [(Column(earlier(label)), Column(label, Form.CHANGE)) for label in labels(data, names[0])]
    columns = [Column("指标", Form.TEXT), Column("本期"), *chain.from_iterable(changes)]
    told = "；".join(dict.fromkeys(source_words(data, name) for name in names))
    return table_of("t.totals", "总体情况", columns, rows, told)


def _phone_totals(data: ReportData) -> Iterator[Row]:
    phone = data.phone
    if phone is None:
        return
    kinds: tuple[tuple[str, Callable[[PhoneCounts], int | None]], ...] = (
        ("人工接听量（个）", lambda counts: counts.answered),
        ("进入排队量（个）", lambda counts: counts.offered),
        (f"{phone.within_seconds}秒内接听量（个）", lambda counts: counts.within),
        ("智能应答量（个）", lambda counts: counts.self_service),
    )
    for name, count in kinds:
        now = count(phone.total)
        if now is not None:
            before = count(phone.previous) if phone.previous else None
            yield _total(name, now, before, count(phone.year_ago) if phone.year_ago else None)


def _accepted_totals(data: ReportData) -> Iterator[Row]:
    accepted = data.accepted
    if accepted is None:
        return
    yield _total(
        "受理量（件）", accepted.total, accepted.previous, accepted.year_ago, stated=accepted.total_change
    )
    if accepted.at_once is not None:
        yield _total("当场答复量（件）", accepted.at_once)
    if accepted.dispatched is not None:
        before, stated = accepted.dispatched_previous, accepted.dispatched_change
        yield _total("转派量（件）", accepted.dispatched, before, stated=stated)
    if accepted.on_time is not None:
        yield _total("按时办结量（件）", accepted.on_time)


def _total(
    name: str, now: int, before: int | None = None, ago: int | None = None, *, stated: float | None = None
) -> Row:
    """``stated``: the change as printed, where the earlier count is not known."""
    change = stated if before is None and stated is not None else moved(now, before)
    return Row((name, now, before, NOTHING if change is None else change, ago, moved(now, ago)))


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
        *_change_columns(data, "phone"),
    ]
    return table_of("t.lines", "各专线接听情况", columns, rows, source_words(data, "phone"))


def _line_rows(lines: Iterable[LineCount], depth: int) -> Iterator[Row]:
    for line in lines:
        name = line_name(line.label, line.name, " ")
        cells = _line_cells(line.answered, line.offered, line.within, line.previous, line.year_ago)
        yield Row((name, *cells), depth, strong=bool(line.lines))
        yield from _line_rows(line.lines, depth + 1)


def _line_cells(
    answered: int, offered: int | None, within: int | None, before: int | None, ago: int | None
) -> tuple[Value, ...]:
    rate = None if offered is None else or_dash(percent(answered, offered))
    return answered, offered, rate, within, moved(answered, before), moved(answered, ago)


def breakdown_table(
    data: ReportData, section: str, title: str, name: str, parts: Breakdown | None
) -> Table | None:
    """Parts, their shares and their changes, the whole last."""
    if parts is None:
        return None
    rows = [_part(row, parts.whole) for row in parts.rows]
    before, ago = sum_known(row.previous for row in parts.rows), sum_known(row.year_ago for row in parts.rows)
    changes = moved(parts.whole, before), moved(parts.whole, ago)
    share = or_dash(percent(parts.whole, parts.whole))
    rows.append(Row(("合计", parts.whole, share, *changes), strong=True))
    columns = _part_columns(data, section, name)
    return table_of(f"t.{section}", title, columns, rows, source_words(data, section))


def topics_table(data: ReportData) -> Table | None:
    """The hottest topics."""
    rows = hottest(data)
    if not rows or data.topics is None:
        return None
    title = f"热点诉求前{len(rows)}位"
    whole = data.topics.total  # of topics alone the shares would be of what was recognised only
    shown = [_part(row, whole) for row in rows]
    columns = _part_columns(data, "topics", "诉求")
    return table_of("t.topics", title, columns, shown, source_words(data, "topics"))


def _part_columns(data: ReportData, section: str, name: str) -> list[Column]:
    columns = [Column(name, Form.TEXT), Column("数量"), Column("占比", Form.PERCENT)]
    return columns + _change_columns(data, section)


def _change_columns(data: ReportData, section: str) -> list[Column]:
    return [Column(label, Form.CHANGE) for label in labels(data, section)]


def _part(row: Counted, whole: int | None) -> Row:
    share = None if whole is None else or_dash(percent(row.count, whole))
    return Row((row.name, row.count, share, moved(row.count, row.previous), moved(row.count, row.year_ago)))


def outcomes_table(data: ReportData) -> Table | None:
    """How the waits ended."""
    phone = data.phone
    if phone is None or not phone.outcomes:
        return None
    whole = sum(row.count for row in phone.outcomes)
    rows = [_part(row, whole) for row in phone.outcomes]
    rows.append(Row(("合计", whole, or_dash(percent(whole, whole)), None, None), strong=True))
    columns = _part_columns(data, "phone", "结果")
    return table_of("t.outcomes", "排队结果", columns, rows, source_words(data, "phone"))


def trend_table(data: ReportData) -> Table | None:
    """Some months one after the other."""
    if not data.trend:
        return None
    named = zip(trend_labels(data), data.trend, strict=True)
    rows = [Row((name, one.answered, one.accepted)) for name, one in named]
    columns = [Column("时间", Form.TEXT), Column("接听量"), Column("受理量")]
    return table_of("t.trend", trend_title(data), columns, rows, source_words(data, "trend"))


def seats_table(data: ReportData) -> Table | None:
    """Calls at special seats."""
    if not data.seats:
        return None
    rows = [
        Row((one.name, one.count, moved(one.count, one.previous), moved(one.count, one.year_ago)))
        for one in data.seats
    ]
    columns = [Column("席位", Form.TEXT), Column("受理量"), *_change_columns(data, "seats")]
    return table_of("t.seats", "特服席运行情况", columns, rows, source_words(data, "seats"))


def counts_table(
    data: ReportData, name: str, title: str, head: str, rows: Sequence[Counted], whole: int
) -> Table | None:
    """Parts that may overlap, each with its share of the whole."""
    columns = [Column(head, Form.TEXT), Column("通数"), Column("占比", Form.PERCENT)]
    shown = [Row((row.name, row.count, or_dash(percent(row.count, whole)))) for row in rows]
    return table_of(name, title, columns, shown, source_words(data, "topic")) if shown else None


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
        Column(f"{labels(data, 'phone')[0]}（百分点）", Form.POINTS),
    ]
    return table_of("t.rates", "指标口径", columns, rows, "来源：由上列数据计算") if rows else None
