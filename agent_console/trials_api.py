"""Routes about test calls (拨测), for supervisors: dial one, read them, listen, mark."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from hotline.agent_console.errors import ApiError
from hotline.agent_console.room import Room
from hotline.agent_console.routes import Body, InRoom, Signed, supervisor
from hotline.agent_console.wire import to_json
from hotline.core.errors import IllegalState, UsageError
from hotline.core.ports import Trials
from hotline.core.trials import MARKS, TrialFilter, TrialMarks, TrialOrder

router = APIRouter()
TrialId = Annotated[str, Field(pattern=r"^[0-9]{14}-[0-9a-f]{8}$")]
Points = Annotated[float, Field(ge=0, le=100)]


class Dialled(Body):
    """What to dial: a plan of the site file by its name, or a number."""

    name: Annotated[str, Field(max_length=80)] = ""
    number: Annotated[str, Field(pattern=r"^(\+?[0-9*#]{1,20})?$")] = ""
    unit: Annotated[str, Field(max_length=80)] = ""
    keys: Annotated[str, Field(pattern=r"^[0-9*#]{0,10}$")] = ""
    seconds: Annotated[int, Field(ge=5, le=300)] = 60
    ring_seconds: Annotated[int, Field(ge=5, le=180)] = 60


class Sheet(Body):
    """The listener's marks; what is absent is not marked."""

    menu: Points | None = None
    answering: Points | None = None
    manner: Points | None = None
    knowledge: Points | None = None
    call_back: Points | None = None
    note: Annotated[str, Field(max_length=1000)] = ""
    person_seconds: Annotated[float, Field(ge=0, le=300)] | None = None


def _wanted(
    since: datetime | None = None,
    until: datetime | None = None,
    line: Annotated[str, Query(max_length=80)] = "",
    unit: Annotated[str, Query(max_length=80)] = "",
) -> TrialFilter:
    """What narrows a list of test calls.

    Raises:
        ApiError: 400 ``bad_request``, a moment without its zone.
    """
    return TrialFilter(_zoned("since", since), _zoned("until", until), line, unit)


def _zoned(name: str, moment: datetime | None) -> datetime | None:
    if moment is not None and moment.tzinfo is None:
        raise ApiError(400, "bad_request", f"{name}: a moment with its zone, as 2026-11-02T08:30:00+08:00")
    return moment


Wanted = Annotated[TrialFilter, Depends(_wanted)]


def _trials(room: Room) -> Trials:
    if room.deps.trials is None:
        raise ApiError(404, "not_found", "this server makes no test calls")
    return room.deps.trials


@router.get("/api/test-calls")
async def test_calls(
    identity: Signed,
    room: InRoom,
    wanted: Wanted,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: datetime | None = None,
) -> dict[str, Any]:
    """Test calls, the newest first."""
    supervisor(identity)
    return {"test_calls": to_json(await _trials(room).newest(limit, _zoned("before", before), wanted))}


@router.get("/api/test-calls/now")
async def now(identity: Signed, room: InRoom) -> Any:
    """The schedule, and what is being dialled."""
    supervisor(identity)
    return to_json(_trials(room).now())


@router.get("/api/test-calls/sums")
async def sums(
    identity: Signed, room: InRoom, wanted: Wanted, by: Literal["unit", "line"] = "unit"
) -> dict[str, Any]:
    """What the test calls come to, by unit or line: the means that the score takes."""
    supervisor(identity)
    return {"sums": to_json(await _trials(room).sums(wanted, by))}


@router.post("/api/test-calls", status_code=202)
async def dial(body: Dialled, identity: Signed, room: InRoom) -> dict[str, str]:
    """Make a test call now."""
    user = supervisor(identity)
    order = TrialOrder(
        body.number, "", body.unit, "", "", body.keys, body.seconds, body.ring_seconds
    )  # another server than the site's own is for the site file to name
    if body.name:
        planned = _trials(room).plan(body.name)
        if planned is None:
            raise ApiError(404, "not_found", "the site file has no test call of this name")
        order = planned
    elif not body.number:
        raise ApiError(400, "bad_request", "say what to dial: name or number")
    try:
        _trials(room).begin(order)
    except UsageError as error:
        raise ApiError(403, "emergency", error.message, hint=error.hint) from None
    except IllegalState as error:
        raise ApiError(409, "busy", error.message, hint=error.hint) from None
    await room.deps.audit.record(user, "test_call", order.number, order.name)
    return {"number": order.number}


@router.post("/api/test-calls/{trial_id}/marks")
async def mark(trial_id: TrialId, body: Sheet, identity: Signed, room: InRoom) -> Any:
    """The listener's sheet, in place of an earlier one."""
    user = supervisor(identity)
    for part, most in MARKS.items():
        if (getattr(body, part) or 0) > most:
            raise ApiError(400, "bad_request", f"{part} has {most} points at the most")
    marks = TrialMarks(**body.model_dump())
    try:
        trial = await _trials(room).mark(trial_id, marks, user)
    except UsageError as error:
        raise ApiError(400, "bad_request", error.message, hint=error.hint) from None
    if trial is None:
        raise _no_such()
    await room.deps.audit.record(user, "test_call_marks", trial_id)
    return to_json(trial)


@router.get("/api/test-calls/{trial_id}/sound")
async def sound(trial_id: TrialId, identity: Signed, room: InRoom) -> Response:
    """What was heard; each listening is in the audit log first."""
    user = supervisor(identity)
    await room.deps.audit.record(user, "test_call_sound", trial_id)
    wav = await _trials(room).sound(trial_id)
    if wav is None:
        raise _no_such()
    return Response(wav, media_type="audio/wav", headers={"Cache-Control": "no-store"})


def _no_such() -> ApiError:
    return ApiError(404, "not_found", "there is no such test call, or its sound is no longer kept")
