"""Pictures of a report by matplotlib, in colours that the colour-blind can tell (Okabe and Ito).

SVG keeps its text as text: pages set it with their own fonts, and it can be searched. Lines differ by dash
and marker too. matplotlib is imported with the first picture: the server's start does not wait for it.
"""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING, Any, Final, Literal

from hotline.metrics.report.document import Chart
from hotline.metrics.report.extras import missing
from hotline.metrics.report.fonts import Fonts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS: Final = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#7F7F7F", "#F0E442")
_DASHES: Final = ("-", "--", "-.", ":")
MARKERS: Final = ("o", "s", "^", "D")
_INK: Final = "#222222"
_GRID: Final = "#DDDDDD"
MOST_LABELS: Final = 12  # along a line
_ROOM: Final = 1.18  # over the highest point, for its number
PNG_DPI: Final = 220


def picture(chart: Chart, fonts: Fonts, form: Literal["svg", "png"]) -> bytes:
    """The chart as a file.

    Raises:
        SetupError: matplotlib is not installed.
    """
    try:
        import matplotlib
        from matplotlib import font_manager
        from matplotlib.figure import Figure
    except ImportError:
        raise missing("matplotlib") from None
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    known = {entry.name for entry in font_manager.fontManager.ttflist}
    if fonts.hei not in known:  # installed after matplotlib made its list
        font_manager.fontManager.addfont(fonts.hei_file)
    settings: Any = {
        "font.family": [fonts.hei],
        "font.size": 10.5,
        "svg.fonttype": "none",
        "svg.hashsalt": chart.id,
        "axes.unicode_minus": False,
        "axes.edgecolor": "#888888",
        "text.color": _INK,
        "axes.labelcolor": _INK,
        "xtick.color": _INK,
        "ytick.color": _INK,
    }
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=_size(chart), layout="constrained")
        _DRAW[chart.shape](figure, figure.add_subplot(), chart)
        out = io.BytesIO()
        figure.savefig(out, format=form, dpi=PNG_DPI, metadata={"Date": None} if form == "svg" else None)
    return out.getvalue()


def _size(chart: Chart) -> tuple[float, float]:
    """Width and height in inches."""
    return {"pie": (6.4, 3.1), "bar": (6.4, 0.9 + 0.32 * len(chart.labels)), "line": (6.4, 3.0)}[chart.shape]


def _pie(_figure: Figure, axes: Axes, chart: Chart) -> None:
    """Shares stand beside the names, so that slivers have room too."""
    values = [value or 0 for value in chart.series[0].values]
    whole = sum(values) or 1
    axes.pie(
        values,
        startangle=90,
        counterclock=False,
        colors=[COLOURS[at % len(COLOURS)] for at in range(len(values))],
        wedgeprops={"edgecolor": "white", "linewidth": 1.2},
    )
    words = [
        f"{name}  {value:,}{chart.unit}  {value / whole:.2%}"
        for name, value in zip(chart.labels, values, strict=True)
    ]
    axes.legend(words, loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False, handlelength=1.0)


def _bar(_figure: Figure, axes: Axes, chart: Chart) -> None:
    values = [value or 0 for value in chart.series[0].values]
    bars = axes.barh(chart.labels, values, color=COLOURS[0], height=0.66)
    axes.bar_label(bars, labels=[f"{value:,}" for value in values], padding=4)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xticks([])
    axes.set_title(f"单位：{chart.unit}", loc="left", fontsize=9)
    axes.tick_params(axis="y", length=0)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)


def _line(_figure: Figure, axes: Axes, chart: Chart) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    places = list(range(len(chart.labels)))
    for at, series in enumerate(chart.series):
        values = [float("nan") if value is None else value for value in series.values]
        axes.plot(
            places,
            values,
            _DASHES[at % 4],
            marker=MARKERS[at % 4],
            color=COLOURS[at % len(COLOURS)],
            linewidth=2,
            label=series.name,
        )
        for place, value in zip(places, series.values, strict=True):
            if value is not None and len(places) <= MOST_LABELS:
                axes.annotate(
                    f"{value:,}", (place, value), (0, 7), textcoords="offset points", ha="center", size=9
                )
    step = -(-len(places) // MOST_LABELS)  # of many days every so-manieth is named
    axes.set_xticks(places[::step], chart.labels[::step])
    highest = max(
        (value for series in chart.series for value in series.values if value is not None), default=0
    )
    axes.set_ylim(0, _ROOM * highest or 1)
    axes.set_title(f"单位：{chart.unit}", loc="left", fontsize=9)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.grid(axis="y", color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if len(chart.series) > 1:
        axes.legend(frameon=False, ncols=len(chart.series), loc="lower right", bbox_to_anchor=(1, 1))


_DRAW: Final = {"pie": _pie, "bar": _bar, "line": _line}
