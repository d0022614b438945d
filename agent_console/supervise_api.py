"""The HTTP API of supervision. Everything is in the audit log before it is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from hotline.agent_console.api import CallId
from hotline.agent_console.control_api import asker
from hotline.agent_console.identity import Identity
from hotline.agent_console.routes import Body, InRoom, Signed, asked_of_exchange, seat_of, supervisor
from hotline.agent_console.wire import to_json
from hotline.core.control import SuperviseVerb

BY_PHONE: Final = frozenset(SuperviseVerb) - {SuperviseVerb.RELEASE}  # these need the supervisor's own phone

router = APIRouter()


async def _supervising(identity: Signed) -> Identity:
    supervisor(identity)
    return identity


Supervisor = Annotated[Identity, Depends(_supervising)]


class ToQueue(Body):
    """The body of moving a waiting caller."""

    queue: Annotated[str, Field(min_length=1, max_length=40)]


def _route(verb: SuperviseVerb) -> Callable[..., Awaitable[Any]]:
    async def act(call_id: CallId, identity: Supervisor, room: InRoom) -> Any:
        if verb in BY_PHONE:
            seat_of(identity)
        await room.deps.audit.record(identity.account.name, f"supervise_{verb.value}", call_id)
        return to_json(await asked_of_exchange(room.deps.supervision.do(asker(identity), call_id, verb)))

    return act


for _verb in SuperviseVerb:
    router.post(f"/api/supervise/{{call_id}}/{_verb.value}")(_route(_verb))


@router.get("/api/supervise")
async def present(identity: Supervisor, room: InRoom) -> Any:
    """The call that the own phone is on, and what it does there; null when it is on none."""
    return to_json(room.deps.supervision.present(asker(identity)))


@router.post("/api/supervise/stop", status_code=204)
async def stop(identity: Supervisor, room: InRoom) -> Response:
    """No longer listen, whisper or barge."""
    seat = seat_of(identity)
    await room.deps.audit.record(identity.account.name, "supervise_stop", seat)
    await asked_of_exchange(room.deps.supervision.stop(asker(identity)))
    return Response(status_code=204)


@router.post("/api/waiting/{call_id}/front", status_code=204)
async def to_front(call_id: CallId, identity: Supervisor, room: InRoom) -> Response:
    """A waiting caller is the next."""
    await room.deps.audit.record(identity.account.name, "waiting_to_front", call_id)
    await asked_of_exchange(room.deps.supervision.to_front(call_id))
    return Response(status_code=204)


@router.post("/api/waiting/{call_id}/queue", status_code=204)
async def to_queue(call_id: CallId, body: ToQueue, identity: Supervisor, room: InRoom) -> Response:
    """A waiting caller waits elsewhere."""
    await room.deps.audit.record(identity.account.name, "waiting_to_queue", call_id, body.queue)
    await asked_of_exchange(room.deps.supervision.to_queue(call_id, body.queue))
    return Response(status_code=204)
