"""Excel's own charts over the cells of a report's tables: pie, bars, line, in the colours of the pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hotline.metrics.report.charts import COLOURS, MARKERS
from hotline.metrics.report.document import Chart, Table

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

HEAD_ROW: Final = 3
"""Of every table: over it its title, and a row left free."""
_WIDTH_CM: Final = 17.0
_HEIGHT_CM: Final = 9.0
_BAR_CM: Final = 0.75  # of height for each bar


@dataclass(frozen=True, slots=True)
class Place:
    """Where a chart's numbers stand.

    Attributes:
        first, last: rows of the sheet, counted from 1.
        columns: one for each series; names are in the first column and in ``HEAD_ROW``.
        at: the column that the chart is drawn in.
    """

    sheet: Worksheet
    first: int
    last: int
    columns: tuple[int, ...]
    at: int


def place_of(chart: Chart, sheets: Iterable[tuple[Table, Worksheet]]) -> Place | None:
    """The cells of a table that hold the chart's numbers, row after row; None if no table does."""
    size = len(chart.labels)
    for table, sheet in sheets:
        names = [row.cells[0] for row in table.rows]
        if not size or chart.labels[0] not in names:
            continue
        start = names.index(chart.labels[0])
        if tuple(names[start : start + size]) != chart.labels:
            continue
        columns = list(zip(*(row.cells for row in table.rows[start : start + size]), strict=True))
        if all(series.values in columns for series in chart.series):
            found = tuple(columns.index(series.values) + 1 for series in chart.series)
            first = HEAD_ROW + 1 + start
            return Place(sheet, first, first + size - 1, found, len(table.columns) + 2)
    return None


def own_sheet(sheet: Worksheet, chart: Chart) -> Place:
    """A sheet with the chart's numbers, for one whose table is not in the report."""
    sheet.cell(1, 1, chart.title)
    for at, series in enumerate(chart.series, 2):
        sheet.cell(HEAD_ROW, at, series.name)
        for row, value in enumerate(series.values, HEAD_ROW + 1):
            sheet.cell(row, at, value).number_format = "#,##0"
    for row, label in enumerate(chart.labels, HEAD_ROW + 1):
        cell = sheet.cell(row, 1)
        cell.value, cell.data_type = label, "s"  # a text is never taken for a formula
    count = len(chart.series)
    last = HEAD_ROW + len(chart.labels)
    return Place(sheet, HEAD_ROW + 1, last, tuple(range(2, 2 + count)), count + 3)


def draw(chart: Chart, caption: str, place: Place) -> None:
    """Draw it beside the numbers."""
    from openpyxl.chart import Reference, Series
    from openpyxl.chart.data_source import AxDataSource, StrRef
    from openpyxl.utils import get_column_letter

    made = _DRAW[chart.shape](chart)
    made.title, made.width, made.height = caption, _WIDTH_CM, _HEIGHT_CM
    names = Reference(place.sheet, 1, place.first, 1, place.last)
    for column, series in zip(place.columns, chart.series, strict=True):
        values = Reference(place.sheet, column, place.first, column, place.last)
        drawn = Series(values, title=series.name)
        drawn.cat = AxDataSource(strRef=StrRef(f=str(names)))
        made.series.append(drawn)
    _colour(chart, made)
    place.sheet.add_chart(made, f"{get_column_letter(place.at)}{HEAD_ROW}")


def _pie(_chart: Chart) -> Any:
    from openpyxl.chart import PieChart
    from openpyxl.chart.label import DataLabelList

    made: Any = PieChart()
    made.firstSliceAng = 0
    made.dataLabels = DataLabelList(
        showPercent=True, showVal=False, showLeaderLines=True, dLblPos="bestFit", **_NO_LABELS
    )
    made.dataLabels.numFmt = "0.00%"
    made.legend.position = "r"
    return made


def _bar(chart: Chart) -> Any:
    from openpyxl.chart import BarChart
    from openpyxl.chart.label import DataLabelList

    made: Any = BarChart()
    made.type, made.gapWidth, made.legend = "bar", 50, None
    made.dataLabels = DataLabelList(showVal=True, **_NO_LABELS)
    made.x_axis.scaling.orientation = "maxMin"  # the first on top, as in the table
    _axes(made, chart)
    made.y_axis.delete, made.y_axis.majorGridlines = True, None
    return made


def _line(chart: Chart) -> Any:
    from openpyxl.chart import LineChart
    from openpyxl.chart.label import DataLabelList

    made: Any = LineChart()
    made.dataLabels = DataLabelList(showVal=True, dLblPos="t", **_NO_LABELS)
    made.y_axis.title = chart.unit
    made.y_axis.scaling.min = 0
    made.legend.position = "b"
    _axes(made, chart)
    return made


def _axes(made: Any, _chart: Chart) -> None:
    """Shown: newer Excels hide axes of which the file says nothing."""
    made.x_axis.delete = made.y_axis.delete = False
    made.y_axis.number_format = "#,##0"
    made.y_axis.majorGridlines.spPr = _stroke("DDDDDD", 6350)


def _colour(chart: Chart, made: Any) -> None:
    from openpyxl.chart.marker import DataPoint, Marker
    from openpyxl.chart.shapes import GraphicalProperties

    for at, series in enumerate(made.series):
        colour = COLOURS[at % len(COLOURS)].removeprefix("#")
        if chart.shape == "pie":
            for place in range(len(chart.labels)):
                slice_colour = COLOURS[place % len(COLOURS)].removeprefix("#")
                series.dPt.append(DataPoint(idx=place, spPr=GraphicalProperties(solidFill=slice_colour)))
        elif chart.shape == "bar":
            series.graphicalProperties.solidFill = colour
        else:
            series.spPr, series.smooth = _stroke(colour, 28575), False
            series.marker = Marker(symbol=_MARKERS[MARKERS[at % len(MARKERS)]], size=7)
            series.marker.graphicalProperties = GraphicalProperties(solidFill=colour)
    if chart.shape == "bar":
        made.height = 2 + _BAR_CM * len(chart.labels)


def _stroke(colour: str, width: int) -> Any:
    """A line; ``width`` in EMU, of which 12700 are a point."""
    from openpyxl.chart.shapes import GraphicalProperties
    from openpyxl.drawing.line import LineProperties

    return GraphicalProperties(ln=LineProperties(solidFill=colour, w=width))


_MARKERS: Final[dict[str, Any]] = {"o": "circle", "s": "square", "^": "triangle", "D": "diamond"}
_NO_LABELS: Final = {"showSerName": False, "showCatName": False, "showLegendKey": False}
_DRAW: Final = {"pie": _pie, "bar": _bar, "line": _line}
