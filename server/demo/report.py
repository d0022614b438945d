"""What the demo prints: an opening, a line a call, and the table at the end."""

from __future__ import annotations

import json
import statistics
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from hotline.core.events import Side
from hotline.server.demo.judging import CallReport

#: Waits and latencies kept for the medians of a demo that runs for days: the newest.
MAX_KEPT = 20_000

_SIDE_NAMES = {Side.CALLER: "caller 来电人", Side.AGENT: "agent 坐席"}


@dataclass(slots=True)
class Summary:
    """The figures of a whole run."""

    counts: Counter[str] = field(default_factory=Counter)
    spoken: Counter[Side] = field(default_factory=Counter)
    right: Counter[Side] = field(default_factory=Counter)
    waits_seconds: deque[float] = field(default_factory=lambda: deque(maxlen=MAX_KEPT))
    latencies_seconds: deque[float] = field(default_factory=lambda: deque(maxlen=MAX_KEPT))

    def add(self, report: CallReport) -> None:
        """Count one call."""
        self.counts["calls"] += 1
        if report.failure:
            self.counts["failed"] += 1
        if report.meant:
            self.counts["gave_up_on_purpose"] += 1
        if report.answered:
            self.counts["answered"] += 1
            self.waits_seconds.append(report.wait_seconds)
        for side, score in report.scores.items():
            self.spoken[side] += score.spoken
            self.right[side] += score.right
            self.latencies_seconds.extend(score.latencies_seconds)

    @property
    def failed(self) -> bool:
        """Whether the exit code has to say so."""
        return self.counts["failed"] > 0

    def as_json(self) -> dict[str, Any]:
        """The table as one JSON object; what cannot be said is null."""
        return {
            "calls": self.counts["calls"],
            "answered": self.counts["answered"],
            "gave_up_on_purpose": self.counts["gave_up_on_purpose"],
            "failed": self.counts["failed"],
            "median_wait_seconds": _rounded(statistics.median(self.waits_seconds), 1)
            if self.waits_seconds
            else None,
            "words": {side.value: {"spoken": self.spoken[side], "right": self.right[side]} for side in Side},
            "latency_seconds": {
                "words": len(self.latencies_seconds),
                "p50": _rounded(percentile(self.latencies_seconds, 0.50), 3),
                "p95": _rounded(percentile(self.latencies_seconds, 0.95), 3),
            },
        }


def percentile(values: Sequence[float] | deque[float], share: float) -> float | None:
    """The value that at most so large a share lies below (nearest rank); None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Printer:
    """Writes to the terminal; with ``as_json`` the only thing on stdout is the summary.

    Args:
        as_json: lines for people go to stderr.
    """

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._console = Console(stderr=as_json, soft_wrap=True, highlight=False)

    def say(self, text: str = "") -> None:
        """One line."""
        self._console.print(text, markup=False)

    def call(self, report: CallReport) -> None:
        """The line of a call: when, line, path, wait, talk, outcome, words."""
        route = report.dialled if report.dialled == report.line else f"{report.dialled}→{report.line or '?'}"
        path = "›".join(report.path) or ("直接振铃" if report.line == report.dialled else "-")
        words = "  ".join(
            f"{_SIDE_NAMES[side]} {report.scores[side].right}/{report.scores[side].spoken}" for side in Side
        )
        outcome = report.outcome or "unknown"
        if report.meant:
            outcome += " (on purpose 主动放弃)"
        if report.failure:
            outcome += f"  FAILED: {report.failure}"
        self.say(
            f"{datetime.now().astimezone():%H:%M:%S}  {route}  {path}  {report.caller}  {report.name}  "
            f"wait {report.wait_seconds:.1f} s  talk {report.talk_seconds:.1f} s  {outcome}  {words}"
        )

    def summary(self, summary: Summary) -> None:
        """The table at the end."""
        figures = summary.as_json()
        if self._as_json:
            print(json.dumps(figures, ensure_ascii=False, indent=2))
            return
        table = Table(title="hotline demo", show_header=False)
        table.add_row("calls 来电", str(figures["calls"]))
        table.add_row("answered 应答", str(figures["answered"]))
        table.add_row(
            "gave up on purpose, not failures 主动放弃（不计为失败）", str(figures["gave_up_on_purpose"])
        )
        table.add_row("failed 失败", str(figures["failed"]))
        table.add_row("median wait 等候中位数", _with_unit(figures["median_wait_seconds"], 1, "s"))
        for side in Side:
            words = figures["words"][side.value]
            share = f" ({words['right'] / words['spoken']:.1%})" if words["spoken"] else ""
            name = f"words right of words spoken, {_SIDE_NAMES[side]}"
            table.add_row(name, f"{words['right']}/{words['spoken']}{share}")
        latency = figures["latency_seconds"]
        both = " / ".join(_with_unit(latency[name], 1000, "ms") for name in ("p50", "p95"))
        table.add_row("word end to page, p50 / p95 字末到上屏", both)
        self._console.print(table)


def _rounded(value: float | None, places: int) -> float | None:
    return None if value is None else round(value, places)


def _with_unit(value: float | None, factor: int, unit: str) -> str:
    return "—" if value is None else f"{round(value * factor, 1):g} {unit}"
