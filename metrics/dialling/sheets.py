"""Test calls for people and for the score."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Literal

from hotline.core.trials import MARKS, TrialCall, TrialResult, TrialSum
from hotline.metrics.scoring.score import half_up


def as_row(trial: TrialCall) -> dict[str, Any]:
    """A test call as one flat row."""
    return {
        "trial_id": trial.trial_id,
        "name": trial.order.name,
        "number": trial.order.number,
        "unit": trial.order.unit,
        "line": trial.order.line,
        "began_at": trial.began_at.isoformat(),
        "result": trial.result.value,
        "status": trial.status,
        "answer_seconds": trial.answer_seconds,
        "sound_seconds": trial.sound_seconds,
        "person_seconds": trial.person_seconds,
        "heard_person_seconds": trial.marks.person_seconds,
        "reached_seconds": trial.reached_seconds,
        "spoken_seconds": round(trial.spoken_seconds, 3),
        "agent": trial.agent,
        "reached_line": trial.reached_line,
        "as_expected": as_expected(trial),
        "level_dbfs": trial.level_dbfs,
        "silent_share": trial.silent_share,
        "keys": trial.keys,
        "text": trial.text,
        "marks": {part: getattr(trial.marks, part) for part in MARKS},
        "note": trial.marks.note,
        "marked_by": trial.marked_by,
        "call_id": trial.call_id,
        "has_sound": trial.has_sound,
    }


def as_expected(trial: TrialCall) -> bool | None:
    """Whether the line that ought to answer did; None where that is not asked or not known."""
    if not trial.order.line or trial.reached_line is None:
        return None
    return trial.order.line == trial.reached_line


def marks_by_unit(trials: Iterable[TrialCall]) -> dict[str, dict[str, list[float]]]:
    """The listeners' marks: unit -> part -> points of each call; what nobody marked is left out."""
    units: dict[str, dict[str, list[float]]] = {}
    for trial in trials:
        for part in MARKS:
            points = getattr(trial.marks, part)
            if trial.order.unit and points is not None:
                units.setdefault(trial.order.unit, {}).setdefault(part, []).append(points)
    return units


def for_score(trials: Iterable[TrialCall]) -> dict[str, Any]:
    """The marks by unit, in the shape that ``hotline score`` reads; unmarked parts are left out."""
    return {
        "units": [
            {"name": name, "test_calls": {part: marks[part] for part in MARKS if part in marks}}
            for name, marks in marks_by_unit(trials).items()
        ]
    }


def summed(trials: Iterable[TrialCall], by: Literal["unit", "line"]) -> list[TrialSum]:
    """What test calls come to, by unit or line, in the order of their first call."""
    groups: dict[str, list[TrialCall]] = {}
    for trial in sorted(trials, key=lambda one: one.began_at):
        groups.setdefault(getattr(trial.order, by), []).append(trial)
    return [_sum(key, group) for key, group in groups.items()]


def _sum(key: str, trials: Sequence[TrialCall]) -> TrialSum:
    answered = [trial for trial in trials if trial.result is TrialResult.ANSWERED]
    reached = [trial.reached_seconds for trial in trials if trial.reached_seconds is not None]
    marks = {part: _mean([getattr(trial.marks, part) for trial in trials]) for part in MARKS}
    points = [points for points in marks.values() if points is not None]
    return TrialSum(
        key=key,
        calls=len(trials),
        answered=len(answered),
        reached=len(reached),
        answer_seconds=_float(_mean([trial.answer_seconds for trial in answered])),
        reached_seconds=_float(_mean(reached)),
        marked=sum(any(getattr(trial.marks, part) is not None for part in MARKS) for trial in trials),
        marks={part: _float(mean) for part, mean in marks.items()},
        points=float(sum(points)) if len(points) == len(MARKS) else None,
    )


def _mean(values: Sequence[float | None]) -> Decimal | None:
    """The mean of what is given, as the score rounds its cells."""
    given = [Decimal(str(value)) for value in values if value is not None]
    return half_up(sum(given, Decimal(0)) / len(given), 2) if given else None


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
