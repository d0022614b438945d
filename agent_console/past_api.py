"""The HTTP API of what was: past calls, a caller's earlier calls, the audit log."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from hotline.agent_console.api import CallId, find_call, has_now
from hotline.agent_console.errors import ApiError
from hotline.agent_console.identity import Identity
from hotline.agent_console.room import Room
from hotline.agent_console.routes import InRoom, Signed, supervisor
from hotline.agent_console.wire import mask_number, to_json
from hotline.core.events import Outcome
from hotline.core.views import CallFilter, CallSummary

EARLIER_CALLS: Final = 10

router = APIRouter()
Name = Annotated[str | None, Query(min_length=1, max_length=80)]
Limit = Annotated[int, Query(ge=1, le=200)]
Moment = Annotated[AwareDatetime | None, Query()]


@router.get("/api/calls")
async def calls(
    identity: Signed,
    room: InRoom,
    limit: Limit = 50,
    before: Moment = None,
    since: Moment = None,
    until: Moment = None,
    line: Name = None,
    outcome: Annotated[Outcome | None, Query()] = None,
    agent: Name = None,
    number: Annotated[str | None, Query(pattern=r"^\+?[0-9]{3,20}$")] = None,
) -> dict[str, Any]:
    """Past calls, newest first; an agent's own. A search by number is recorded first."""
    if agent is not None or number is not None:
        supervisor(identity)
    if not identity.supervisor:
        if identity.account.agent is None:
            return {"calls": []}
        agent = identity.account.agent
    if number is not None:
        await room.deps.audit.record(identity.account.name, "search_number", mask_number(number))
    wanted = CallFilter(agent, line, number, outcome, since, until)
    return {"calls": to_json(await room.deps.history.recent(wanted, limit=limit, before=before))}


@router.get("/api/calls/{call_id}/earlier")
async def earlier(call_id: CallId, identity: Signed, room: InRoom) -> dict[str, Any]:
    """What the same caller called about before; recorded first. For whoever has the call, and supervisors."""
    call = await find_call(room, identity, call_id)
    if not identity.supervisor and not _at_hand(room, identity, call_id):
        raise ApiError(403, "forbidden", "the call is no longer yours", hint="ask a supervisor")
    if not call.caller_number:
        return {"calls": []}
    await room.deps.audit.record(identity.account.name, "earlier_calls", call_id)
    wanted = CallFilter(caller_number=call.caller_number)
    found = await room.deps.history.recent(wanted, limit=EARLIER_CALLS, before=call.started_at)
    if not identity.supervisor:  # what a caller said of a colleague
        found = [replace(one, survey=None, answer=None) for one in found]
    return {"calls": [await _with_notes(room, one) for one in found]}


@router.get("/api/audit")
async def audit(
    identity: Signed,
    room: InRoom,
    limit: Limit = 100,
    before: Annotated[int | None, Query(ge=1)] = None,
    user: Name = None,
    action: Name = None,
) -> dict[str, Any]:
    """Who did or saw what, newest first (supervisors)."""
    supervisor(identity)
    rows = await room.deps.audit.recent(limit, before=before, user=user or "", action=action or "")
    return {"rows": to_json(rows)}


async def _with_notes(room: Room, call: CallSummary) -> dict[str, Any]:
    return {"call": to_json(call), "notes": to_json(await room.deps.marks.notes(call.call_id))}


def _at_hand(room: Room, identity: Identity, call_id: str) -> bool:
    """Whether the agent has the call or wraps it up, also one from before a restart of this server."""
    seat = identity.account.agent
    wrapped = any(one.agent == seat and one.call_id == call_id for one in room.hub.live().agents)
    return wrapped or has_now(room, identity, call_id)
