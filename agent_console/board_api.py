"""The HTTP API of the wallboard's trend: today by the hour beside the same day last week up to this time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from fastapi import APIRouter

from hotline.agent_console.room import Room
from hotline.agent_console.routes import InRoom, Signed
from hotline.agent_console.wire import moment, to_json
from hotline.core.figures import Dimension, FigureAnswer, FigureQuestion, Grain, Series

WEEK: Final = timedelta(days=7)
OFFERED: Final = "offered"
COMPARED: Final = (OFFERED, "answer_rate", "within_rate", "asa")
"""Measures of which the wallboard says what they were a week ago."""

router = APIRouter()


@router.get("/api/figures/board")
async def board(identity: Signed, room: InRoom) -> dict[str, Any]:
    """Offered calls by the hour, today and a week ago, and last week's figures up to this time of the day."""
    now = room.deps.clock.now().astimezone(room.deps.site.zone)
    then = now - WEEK  # of the clock on the wall, also over a change of its offset
    today_hours = await _hours(room, now)
    hours_then = await _hours(room, then)
    midnight, _ = _day(room, then)
    compared = {
        one: await room.deps.measures.answer(FigureQuestion(one, midnight, then, by=Dimension.LINE))
        for one in COMPARED
        if then > midnight  # at midnight itself there is nothing yet
    }
    keys = [group.key for group in today_hours.groups]
    return {
        "day": now.date().isoformat(),
        "then": moment(then),
        "total": _line(None, today_hours, hours_then, compared),
        "lines": [_line(key, today_hours, hours_then, compared) for key in keys],
    }


def _day(room: Room, at: datetime) -> tuple[datetime, datetime]:
    day = at.date().isoformat()
    return room.deps.measures.period(day, day)


async def _hours(room: Room, at: datetime) -> FigureAnswer:
    """The offered calls of a day by the hour and by line."""
    question = FigureQuestion(OFFERED, *_day(room, at), Grain.HOUR, Dimension.LINE)
    return await room.deps.measures.answer(question)


def _line(
    key: str | None, today: FigureAnswer, then: FigureAnswer, compared: dict[str, FigureAnswer]
) -> dict[str, Any]:
    """A line's part of the answers; of everything without a key."""
    return {
        "line": key,
        "hours": _counts(_of(today, key)),
        "hours_then": _counts(_of(then, key)),
        "then": {
            one: to_json(series.points[0].figure)
            for one, answer in compared.items()
            if (series := _of(answer, key)) is not None
        },
    }


def _of(answer: FigureAnswer, key: str | None) -> Series | None:
    if key is None:
        return answer.total
    return next((group for group in answer.groups if group.key == key), None)


def _counts(series: Series | None) -> list[int]:
    return [] if series is None else [point.figure.numerator for point in series.points]
