"""The HTTP API of call control: what an agent does with a live call, and what is written on calls."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Self

from fastapi import APIRouter
from pydantic import Field, model_validator
from sqlalchemy.exc import SQLAlchemyError

from hotline.agent_console.api import CallId, find_call
from hotline.agent_console.errors import ApiError
from hotline.agent_console.identity import Identity
from hotline.agent_console.room import Room
from hotline.agent_console.routes import Body, InRoom, Signed, asked_of_exchange, seat_of
from hotline.agent_console.wire import to_json
from hotline.core.control import Asker, CallVerb, Target, TargetKind
from hotline.core.events import CallFlagged, NuisanceKind
from hotline.core.views import CallSummary

log = logging.getLogger(__name__)

router = APIRouter()


class TargetBody(Body):
    """Whom a call goes to: exactly one of the three."""

    agent: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    queue: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    number: Annotated[str, Field(pattern=r"^[0-9]{3,20}$")] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(value is not None for value in (self.agent, self.queue, self.number)) != 1:
            raise ValueError("a target is exactly one of agent, queue, number")
        return self

    def target(self) -> Target:
        """As the queue room takes it."""
        kind = next(kind for kind in TargetKind if getattr(self, kind.value) is not None)
        return Target(kind, getattr(self, kind.value))


class TargetOf(Body):
    """The body of a transfer or an enquiry."""

    target: TargetBody


class Emergency(Body):
    """The body of an emergency transfer."""

    service: Annotated[str, Field(min_length=1, max_length=40)]


class NoteText(Body):
    """The body of a note."""

    text: Annotated[str, Field(min_length=1, max_length=4000, pattern=r"\S")]


class Nuisance(Body):
    """The body of a mark."""

    nuisance: bool
    reason: Annotated[str, Field(max_length=200)] = ""
    kind: Annotated[NuisanceKind, Field(strict=False)] = NuisanceKind.OTHER

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        if self.nuisance and not self.reason.strip():
            raise ValueError("a nuisance mark needs a reason")
        return self


class CallBack(Body):
    """The body of a callback."""

    call_id: CallId


def asker(identity: Identity) -> Asker:
    """The account as the queue room knows it."""
    return Asker(identity.account.name, identity.account.agent, identity.supervisor)


async def _acting(room: Room, identity: Identity, action: str, call_id: str, detail: str = "") -> Asker:
    """Whoever acts on calls needs a seat, or a supervisor's rights: theirs reach every call, on record."""
    who = asker(identity)
    if not who.supervisor:
        seat_of(identity)
    else:
        await room.deps.audit.record(who.user, f"call_{action}", call_id, detail)
    return who


async def _record_if_possible(room: Room, user: str, call_id: str, service: str) -> None:
    """An emergency waits for no database: what cannot be recorded is told in the log."""
    try:
        await room.deps.audit.record(user, "emergency", call_id, service)
    except SQLAlchemyError as error:
        log.error(
            "user %s had call %s joined with %s; not recorded: %s",
            user, call_id, service, type(error).__name__,
        )  # fmt: skip


def _must_have_number(call: CallSummary) -> None:
    if not call.caller_number:
        raise ApiError(409, "number_withheld", "this caller's number is not known", hint="it was withheld")


def _route(verb: CallVerb) -> Callable[..., Awaitable[Any]]:
    async def act(call_id: CallId, identity: Signed, room: InRoom) -> Any:
        who = await _acting(room, identity, verb.value, call_id)
        return to_json(await asked_of_exchange(room.deps.control.do(who, call_id, verb)))

    return act


for _verb in CallVerb:
    router.post(f"/api/call/{{call_id}}/{_verb.value}")(_route(_verb))


@router.post("/api/call/{call_id}/transfer")
async def transfer(call_id: CallId, body: TargetOf, identity: Signed, room: InRoom) -> Any:
    """Hand the caller over at once, without asking first."""
    target = body.target.target()
    who = await _acting(room, identity, "transfer", call_id, f"{target.kind} {target.value}")
    return to_json(await asked_of_exchange(room.deps.control.transfer(who, call_id, target)))


@router.post("/api/call/{call_id}/consult")
async def consult(call_id: CallId, body: TargetOf, identity: Signed, room: InRoom) -> Any:
    """Ask somebody while the caller hears music."""
    target = body.target.target()
    who = await _acting(room, identity, "consult", call_id, f"{target.kind} {target.value}")
    return to_json(await asked_of_exchange(room.deps.control.consult(who, call_id, target)))


@router.post("/api/call/{call_id}/emergency")
async def emergency(call_id: CallId, body: Emergency, identity: Signed, room: InRoom) -> Any:
    """Call an emergency service into the talk: three-way as soon as it answers."""
    who = asker(identity)
    if not who.supervisor:
        seat_of(identity)
    asking = asked_of_exchange(room.deps.control.emergency(who, call_id, body.service))
    recording = _record_if_possible(room, who.user, call_id, body.service)
    view, recorded = await asyncio.gather(asking, recording, return_exceptions=True)
    for outcome in (view, recorded):
        if isinstance(outcome, BaseException):
            raise outcome
    return to_json(view)


@router.get("/api/targets")
async def targets(_identity: Signed, room: InRoom) -> Any:
    """Whom a call may be handed to, now."""
    return to_json(room.deps.control.targets())


@router.post("/api/callback", status_code=202)
async def callback(body: CallBack, identity: Signed, room: InRoom) -> dict[str, str]:
    """Ring the own phone, then the caller of a past call."""
    seat_of(identity)
    call = await find_call(room, identity, body.call_id)
    _must_have_number(call)
    await room.deps.audit.record(identity.account.name, "callback", body.call_id)
    first = call.callback_of or call.call_id
    await asked_of_exchange(
        room.deps.control.call_back(asker(identity), first, call.caller_number, call.line)
    )
    return {"call_id": body.call_id}


@router.post("/api/calls/{call_id}/note")
async def note(call_id: CallId, body: NoteText, identity: Signed, room: InRoom) -> Any:
    """Write something down about a call; who and when stays with it."""
    await find_call(room, identity, call_id)
    user = identity.account.name
    await room.deps.audit.record(user, "note", call_id)
    return to_json(await room.deps.marks.add_note(call_id, user, body.text))


@router.post("/api/calls/{call_id}/nuisance")
async def nuisance(call_id: CallId, body: Nuisance, identity: Signed, room: InRoom) -> Any:
    """Mark the caller as a nuisance, or take it back."""
    call = await find_call(room, identity, call_id)
    _must_have_number(call)
    user, action = identity.account.name, "nuisance" if body.nuisance else "nuisance_lifted"
    await room.deps.audit.record(user, action, call_id, body.reason)
    mark = await room.deps.marks.mark(call_id, call.caller_number, user, body.nuisance, body.reason)
    if mark.nuisance:
        agent = identity.account.agent or user
        room.deps.bus.publish(CallFlagged(call_id, mark.at, agent, mark.reason, body.kind))
    return to_json(mark)
