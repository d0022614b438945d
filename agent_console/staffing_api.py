"""``GET /api/staffing``: how many agents a day or week to come needs, for supervisors."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query

from hotline.agent_console.errors import ApiError
from hotline.agent_console.routes import InRoom, Signed, supervisor
from hotline.agent_console.wire import to_json
from hotline.core.errors import UnknownName, UsageError
from hotline.core.staffing import StaffingQuestion, TooLittleHistory

router = APIRouter()
Seconds = Annotated[float | None, Query(gt=0, le=86_400, allow_inf_nan=False)]


@router.get("/api/staffing")
async def staffing(
    identity: Signed,
    room: InRoom,
    day: date,
    days: Annotated[int, Query(ge=1, le=14)] = 1,
    line: Annotated[str | None, Query(min_length=1, max_length=80)] = None,
    target: Annotated[float | None, Query(gt=0, lt=1)] = None,
    within: Annotated[float | None, Query(ge=0, le=3600, allow_inf_nan=False)] = None,
    aht: Seconds = None,
    patience: Seconds = None,
    shrinkage: Annotated[float, Query(ge=0, lt=1)] = 0.0,
    volume: Annotated[float, Query(gt=0, le=100)] = 1.0,
) -> dict[str, Any]:
    """Calls expected and agents needed for every quarter hour, beside those planned."""
    supervisor(identity)
    question = StaffingQuestion(day, days, line, target, within, aht, patience, shrinkage, volume)
    try:
        found: dict[str, Any] = to_json(await room.deps.staffing.plan(question))
    except UnknownName as error:
        raise ApiError(404, "not_found", error.message, hint=error.hint) from error
    except TooLittleHistory as error:
        raise ApiError(400, "too_little_history", error.message, hint=error.hint) from error
    except UsageError as error:
        raise ApiError(400, "bad_request", error.message, hint=error.hint) from error
    return found
