"""Test calls for people and for the score."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hotline.core.trials import MARKS, TrialCall


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
