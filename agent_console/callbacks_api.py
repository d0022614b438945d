"""Routes about callers who asked to be called back while they waited."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from hotline.agent_console.control_api import asker
from hotline.agent_console.errors import ApiError
from hotline.agent_console.identity import Identity
from hotline.agent_console.room import Room
from hotline.agent_console.routes import Body, InRoom, Signed, asked_of_exchange, seat_of
from hotline.agent_console.wire import to_json
from hotline.core.events import CallbackResult

router = APIRouter()
EntryId = Annotated[str, Field(min_length=1, max_length=120)]


class Ended(Body):
    """The body that ends a request."""

    result: Annotated[CallbackResult, Field(strict=False)]


def _queues(room: Room, identity: Identity) -> Collection[str] | None:
    """Whose requests this account sees: an agent those of the own skills, a supervisor all."""
    if identity.supervisor:
        return None
    return next((one.skills.keys() for one in room.deps.site.agents if one.id == identity.account.agent), ())


async def _must_be_theirs(room: Room, identity: Identity, entry_id: str) -> None:
    waiting = await room.deps.callbacks.waiting(_queues(room, identity))
    if all(one.entry_id != entry_id for one in waiting):
        raise ApiError(404, "not_found", "there is no such request, or somebody has met it")


@router.get("/api/callbacks")
async def callbacks(identity: Signed, room: InRoom) -> dict[str, Any]:
    """Who waits to be called back, the longest first."""
    return {"callbacks": to_json(await room.deps.callbacks.waiting(_queues(room, identity)))}


@router.post("/api/callbacks/{entry_id}/call", status_code=202)
async def call(entry_id: EntryId, identity: Signed, room: InRoom) -> dict[str, str]:
    """Take the request, ring the own phone, then the caller."""
    seat_of(identity)
    await _must_be_theirs(room, identity, entry_id)
    user = identity.account.name
    request = await room.deps.callbacks.take(entry_id, user)
    if request is None:
        raise ApiError(409, "taken", "a colleague is calling back already", hint="take another one")
    await room.deps.audit.record(user, "callback", request.call_id)
    calling = room.deps.control.call_back(
        asker(identity), request.call_id, request.caller_number, request.line
    )
    try:
        await asked_of_exchange(calling)
    except ApiError:
        await room.deps.callbacks.give_back(entry_id, user)
        raise
    return {"call_id": request.call_id}


@router.post("/api/callbacks/{entry_id}/end", status_code=204)
async def end(entry_id: EntryId, body: Ended, identity: Signed, room: InRoom) -> None:
    """Strike a request off without a talk: nobody answered, or it is no longer needed."""
    await _must_be_theirs(room, identity, entry_id)
    user = identity.account.name
    await room.deps.audit.record(user, "callback_ended", entry_id, body.result.value)
    await room.deps.callbacks.end(entry_id, user, body.result)
