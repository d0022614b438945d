"""Routes about agents: their own state, and what a supervisor may do about it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field

from hotline.agent_console.errors import ApiError
from hotline.agent_console.room import Room
from hotline.agent_console.routes import Body, InRoom, Signed, asked_of_exchange, seat_of, supervisor
from hotline.agent_console.wire import to_json
from hotline.core.events import AgentState

router = APIRouter()
Reason = Annotated[str, Field(max_length=40)]
QueueName = Annotated[str, Field(min_length=1, max_length=40)]


class Queues(Body):
    """The body of a sign-in on a part of the agent's queues."""

    queues: Annotated[list[QueueName], Field(min_length=1, max_length=100)] | None = None


class Pause(Body):
    """The body of a pause."""

    reason: Reason


class Extension(Body):
    """The body of a longer wrap-up."""

    seconds: Annotated[int, Field(ge=1, le=3600)]


class Force(Body):
    """The body of a forced state."""

    state: Literal["ready", "paused", "signed_out"]
    reason: Reason = ""


@router.post("/api/agent/sign-in")
async def sign_in(identity: Signed, room: InRoom, body: Queues | None = None) -> Any:
    """Take the seat: calls may come, from all queues of the agent's skills or from those named."""
    queues = body.queues if body else None
    return to_json(await asked_of_exchange(room.deps.desk.sign_in(seat_of(identity), queues)))


@router.post("/api/agent/sign-out")
async def sign_out(identity: Signed, room: InRoom) -> Any:
    """Leave the seat."""
    return to_json(await asked_of_exchange(room.deps.desk.sign_out(seat_of(identity))))


@router.post("/api/agent/pause")
async def pause(body: Pause, identity: Signed, room: InRoom) -> Any:
    """No calls for a while: at once, or when what the agent is busy with is over."""
    _known_reason(room, body.reason)
    return to_json(await asked_of_exchange(room.deps.desk.pause(seat_of(identity), body.reason)))


@router.post("/api/agent/resume")
async def resume(identity: Signed, room: InRoom) -> Any:
    """Calls again."""
    return to_json(await asked_of_exchange(room.deps.desk.resume(seat_of(identity))))


@router.post("/api/agent/wrap-up/end")
async def end_wrap_up(identity: Signed, room: InRoom) -> Any:
    """Done writing before the time."""
    return to_json(await asked_of_exchange(room.deps.desk.end_wrap_up(seat_of(identity))))


@router.post("/api/agent/wrap-up/extend")
async def extend_wrap_up(body: Extension, identity: Signed, room: InRoom) -> Any:
    """More time to write, up to the queue's cap."""
    return to_json(await asked_of_exchange(room.deps.desk.extend_wrap_up(seat_of(identity), body.seconds)))


@router.post("/api/agents/{agent}/force")
async def force(agent: str, body: Force, identity: Signed, room: InRoom) -> Any:
    """A supervisor's word on an agent's state; recorded first, so that none goes unrecorded."""
    by = supervisor(identity)
    if agent not in {one.id for one in room.deps.site.agents}:
        raise ApiError(404, "not_found", "there is no such agent")
    state = AgentState(body.state)
    if state is AgentState.PAUSED:
        _known_reason(room, body.reason)
    await room.deps.audit.record(by, "force_agent", agent, f"{body.state} {body.reason}".strip())
    return to_json(await asked_of_exchange(room.deps.desk.force(agent, state, body.reason, by=by)))


@router.get("/api/shift")
async def shift(identity: Signed, room: InRoom) -> dict[str, Any]:
    """Who should be here and who is, for supervisors."""
    supervisor(identity)
    view = await room.deps.shifts.now()
    rows = [
        to_json(row) | {"planned": [to_json({"from": one.starts, "to": one.ends}) for one in row.planned]}
        for row in view.rows
    ]
    return {"at": to_json(view.at), "rows": rows, "problems": list(view.problems)}


@router.get("/api/agents/today")
async def agents_today(identity: Signed, room: InRoom) -> dict[str, Any]:
    """Today's calls of every agent who answered one, for supervisors."""
    supervisor(identity)
    return {"agents": [to_json(one) for one in await room.deps.figures.agents_today()]}


def _known_reason(room: Room, reason: str) -> None:
    if reason not in room.deps.pause_reasons:
        reasons = "、".join(room.deps.pause_reasons)
        raise ApiError(400, "unknown_reason", "there is no such pause reason", hint=f"one of: {reasons}")
