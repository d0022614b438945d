"""Test calls (拨测) as the rows of a report: what came of them, by the unit whose service was tried. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hotline.core.trials import TrialCall, TrialResult
from hotline.metrics.report.data import DialResult
from hotline.metrics.report.numbers import rounded

WITHIN_SECONDS: Final = 15.0  # of ringing: good, as reports on test calls have it


def dials_of(trials: Iterable[TrialCall]) -> tuple[DialResult, ...]:
    """A row for each unit, in the order of their names; calls without one go by their plan or number."""
    by_name: dict[str, list[TrialCall]] = {}
    for trial in trials:
        order = trial.order
        by_name.setdefault((order.unit or order.name or order.number)[:80], []).append(trial)
    return tuple(_row(name, calls) for name, calls in sorted(by_name.items()))


def _row(name: str, trials: list[TrialCall]) -> DialResult:
    answered = [trial for trial in trials if trial.result is TrialResult.ANSWERED]
    seconds = [trial.answer_seconds for trial in answered if trial.answer_seconds is not None]
    return DialResult(
        name=name,
        calls=len(trials),
        answered=len(answered),
        within=sum(one <= WITHIN_SECONDS for one in seconds) if seconds else None,
        mean_seconds=rounded(sum(seconds) / len(seconds)) if seconds else None,
        longest_seconds=rounded(max(seconds)) if seconds else None,
    )
