"""Tables as the same data that a YAML data file holds, with the place of every cell: Excel workbooks.

Sheets and columns have the names that reports use (``SHEETS``).
A sheet of rows has its titles in the first row; a row named 合计 is the total as printed. A sheet of two
columns (项目, 数值) is one section.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from hotline.config.problems import ConfigError, KeyPath, did_you_mean
from hotline.config.yaml_text import Data, Document
from hotline.metrics.report.extras import missing

TOTAL: Final = "合计"
COUNTED: Final = {
    "名称": "name",
    "数量": "count",
    "上期": "previous",
    "上年同期": "year_ago",
    "占比": "percent",
    "环比": "change",
}
LINE: Final = {
    "专线": "label",
    "名称": "name",
    "上级": "parent",
    "接听量": "answered",
    "进入排队": "offered",
    "时限内接听": "within",
    "上期接听": "previous",
    "上年同期接听": "year_ago",
    "接通率": "answer_percent",
    "环比": "change",
}
UNIT: Final = {
    "承办单位": "name",
    "有效工单": "orders",
    "按时办结": "on_time",
    "按时办结率": "on_time_percent",
    "退单驳回": "returned",
    "联系": "contacted",
    "联系率": "contacted_percent",
    "回访": "called_back",
    "满意": "satisfied",
    "一般": "so_so",
    "未评价": "no_opinion",
    "不满意": "unsatisfied",
    "满意率": "satisfied_percent",
}
DIAL: Final = {
    "拨测对象": "name",
    "拨测次数": "calls",
    "接通": "answered",
    "接通率": "answered_percent",
    "15秒内": "within",
    "平均应答": "mean_seconds",
    "最长应答": "longest_seconds",
}
ACCEPTED: Final = {
    "受理量": "total",
    "上期受理量": "previous",
    "上年同期受理量": "year_ago",
    "受理环比": "total_change",
    "当场答复": "at_once",
    "当场答复率": "at_once_percent",
    "转派": "dispatched",
    "上期转派": "dispatched_previous",
    "转派环比": "dispatched_change",
    "按时办结": "on_time",
    "按时办结率": "on_time_percent",
    "回访": "called_back",
    "未评价": "no_opinion",
    "满意": "satisfied",
    "满意率": "satisfied_percent",
}
KNOWLEDGE: Final = {"查询": "asked", "答复": "answered", "现有知识": "entries", "新增知识": "added"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a sheet is for: a list of rows (``columns``), or one section of two columns (``items``)."""

    path: KeyPath
    columns: dict[str, str] | None = None
    items: dict[str, str] | None = None
    total: KeyPath | None = None  # where a row named 合计 belongs
    grouped: bool = False  # columns of any other name are groups of points


SHEETS: Final = {
    "报告": Sheet((), items={"期间": "period"}),
    "受理": Sheet(("accepted",), items=ACCEPTED),
    "知识库": Sheet(("knowledge",), items=KNOWLEDGE),
    "渠道": Sheet(("channels", "rows"), COUNTED, total=("channels", "total")),
    "类型": Sheet(("types", "rows"), COUNTED, total=("types", "total")),
    "热点": Sheet(("topics", "rows"), COUNTED, total=("topics", "total")),
    "走势": Sheet(("trend",), {"时间": "name", "接听量": "answered", "受理量": "accepted"}),
    "专线": Sheet(("phone", "lines"), LINE, total=("phone", "total")),
    "承办单位": Sheet(("units", "rows"), UNIT, total=("units", "total")),
    "考核": Sheet(("scores",), {"名次": "rank", "分中心": "name", "总分": "total"}, grouped=True),
    "拨测": Sheet(("test_calls",), DIAL),
    "特服席": Sheet(("seats",), COUNTED),
    "案例": Sheet(("cases",), {"标题": "title", "内容": "text", "承办单位": "unit"}),
}


def read_workbook(file: Path) -> tuple[Document, list[str]]:
    """A workbook as a document; its "lines" count the places (``承办单位!C4``) that come with it.

    Raises:
        ConfigError: it is no workbook, or has a sheet or a column that no report knows.
    """
    from zipfile import BadZipFile

    try:
        import openpyxl
    except ImportError:
        raise missing("openpyxl") from None
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    except FileNotFoundError:
        raise ConfigError(f"{file}: there is no such file") from None
    except (BadZipFile, KeyError, ValueError, OSError) as error:
        raise ConfigError(f"{file}: this is no Excel workbook", hint="save it as .xlsx") from error
    try:
        reader = TableReader(file, "报告!A1")
        for sheet in book.worksheets:
            _read(reader, sheet.title, [[_value(cell) for cell in row] for row in sheet.iter_rows()])
        return reader.document, reader.places
    finally:
        book.close()


def _read(reader: TableReader, title: str, rows: list[Cells]) -> None:
    """Take in one sheet; an empty one says nothing."""
    kind = SHEETS.get(title)
    if kind is None:
        hint = did_you_mean(title, SHEETS) or f"known here: {'、'.join(SHEETS)}"
        raise ConfigError(f"{reader.document.file}: unknown sheet {title}", hint=hint)
    if any(value is not None for row in rows for value in row):
        reader.read(kind, list(enumerate(rows, 1)), lambda at, number: f"{title}!{_letter(at)}{number}")


Cells = list[Any]
Place = Callable[[int, int], str]
"""How a cell is called, by its column (from 0) and the number of its row."""


class TableReader:
    """Puts tables into one document.

    Args:
        file: what errors name.
        top: the place of what has none of its own.
    """

    def __init__(self, file: Path, top: str) -> None:
        self.document = Document(file, data={})
        self.places: list[str] = []
        self._note((), top)

    def read(self, kind: Sheet, rows: list[tuple[int, Cells]], place: Place) -> None:
        """Take in one table, its rows with their numbers.

        Raises:
            ConfigError: a heading or a line that there is not.
        """
        self._place = place
        self._note(kind.path, place(0, rows[0][0]))
        if kind.items is not None:
            self._read_items(kind, kind.items, rows)
        elif kind.columns is not None:
            self._read_rows(kind, kind.columns, rows)

    def _read_items(self, kind: Sheet, items: dict[str, str], rows: list[tuple[int, Cells]]) -> None:
        for number, row in rows:
            name, value = _text(row[0]), row[1] if len(row) > 1 else None
            if not name or name == "项目":
                continue
            key = self._known(items, name, self._place(0, number))
            if value is not None:
                self.put((*kind.path, key), _text(value), self._place(1, number))

    def _read_rows(self, kind: Sheet, columns: dict[str, str], rows: list[tuple[int, Cells]]) -> None:
        top, heads = rows[0][0], [_text(value) for value in rows[0][1]]
        known = ({head: head for head in heads} if kind.grouped else {}) | columns
        keys = [
            self._known(known, head, self._place(at, top)) if head else "" for at, head in enumerate(heads)
        ]
        for at, key in enumerate(keys):
            if key and key in keys[:at]:
                place = self._place(at, top)
                raise ConfigError(
                    f"{self.document.file}: {place}: {heads[at]} is given twice", hint="keep one"
                )
        listed: list[tuple[dict[str, str], int]] = []
        for number, row in rows[1:]:
            cells = {
                key: _text(value) for key, value in zip(keys, row, strict=False) if key and value is not None
            }
            if not cells:
                continue
            if kind.total is not None and TOTAL in (cells.get("name"), cells.get("label")):
                self._put_total(kind, cells, self._place(0, number))
            else:
                listed.append((cells, number))
        by_name: dict[str, KeyPath] = {}
        for cells, number in listed:
            path = self._place_of(kind, cells, by_name, self._place(0, number))
            for key, value in cells.items():
                place = self._place(keys.index(key), number)
                grouped = kind.grouped and key not in columns.values()
                self.put((*path, *(("groups",) if grouped else ()), key), value, place)

    def _place_of(
        self, kind: Sheet, cells: dict[str, str], by_name: dict[str, KeyPath], place: str
    ) -> KeyPath:
        """Where a row belongs: after the others of its list, or of the line above it (上级)."""
        parent = cells.pop("parent", None)
        if parent is not None and parent not in by_name:
            hint = did_you_mean(parent, by_name) or "write the line above before those under it"
            raise ConfigError(f"{self.document.file}: {place}: there is no line {parent}", hint=hint)
        above = (*by_name[parent], "lines") if parent is not None else kind.path
        holder = self._at(above, [])
        path = (*above, len(holder))
        holder.append({})
        by_name.setdefault(cells.get("label", ""), path)
        return path

    def _put_total(self, kind: Sheet, cells: dict[str, str], place: str) -> None:
        path = kind.total or ()
        cells = {key: value for key, value in cells.items() if key not in ("name", "label")}
        if path[0] in ("units", "phone"):
            for key, value in cells.items():
                where = (
                    ("phone", key, "answered")
                    if path[0] == "phone" and key in ("previous", "year_ago")
                    else (*path, key)
                )
                self.put(where, value, place)
        elif "count" in cells:
            self.put(path, cells["count"], place)

    def _known(self, names: dict[str, str], name: str, place: str) -> str:
        if name not in names:
            hint = did_you_mean(name, names) or f"known here: {'、'.join(names)}"
            raise ConfigError(f"{self.document.file}: {place}: unknown heading {name}", hint=hint)
        return names[name]

    def put(self, path: KeyPath, value: str, place: str) -> None:
        """Write one value, which stands at ``place``."""
        self._at(path[:-1], {})[path[-1]] = value
        self._note(path, place)

    def _at(self, path: KeyPath, empty: Data) -> Any:
        """The dict or list at ``path``, made where it is not there yet."""
        here: Any = self.document.data
        for at, step in enumerate(path):
            following: Data = {} if at + 1 < len(path) and isinstance(path[at + 1], str) else []
            if isinstance(step, str) and step not in here:
                here[step] = empty if at + 1 == len(path) else following
            here = here[step]
        return here

    def _note(self, path: KeyPath, place: str) -> None:
        self.places.append(place)
        self.document.lines[path] = len(self.places)


def _value(cell: Any) -> Any:
    """What a cell shows: Excel keeps 39.29% as 0.3929."""
    value = cell.value
    if isinstance(value, int | float) and "%" in (cell.number_format or ""):
        return round(value * 100, 8)
    return value


def _text(value: object) -> str:
    """A cell as it would be written in YAML: 95 for 95.0, days without times."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m}" if value.day == 1 else value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _letter(at: int) -> str:
    """The letter of a column, counted from 0."""
    return chr(ord("A") + at) if at < 26 else f"{_letter(at // 26 - 1)}{_letter(at % 26)}"
