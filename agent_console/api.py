"""The HTTP API of docs/console-api.md."""

from __future__ import annotations

import math
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from hotline.agent_console.accounts import TooManyAttempts, WrongCredentials
from hotline.agent_console.drafts import in_hand, shown_draft
from hotline.agent_console.errors import ApiError
from hotline.agent_console.identity import COOKIE, Identity
from hotline.agent_console.ownership import visible_live
from hotline.agent_console.room import Room
from hotline.agent_console.routes import NO_SUCH_CALL, Body, InRoom, Signed
from hotline.agent_console.wire import to_json
from hotline.config.line_wording import keywords_of
from hotline.config.orders import order_fields
from hotline.core.events import Outcome
from hotline.core.sensitive import mask_segments
from hotline.core.views import CallSummary, CallView, OwnPart, Segment

router = APIRouter()
CallId = Annotated[str, Field(min_length=1, max_length=120)]


class SignIn(Body):
    """The body of a sign-in."""

    user: Annotated[str, Field(max_length=80)]
    password: Annotated[str, Field(max_length=512)]


@router.get("/healthz")
async def healthz(room: InRoom) -> JSONResponse:
    """For probes: 200 while pages are served and pushed to, else 503."""
    body = {"ok": room.hub.running, "link_up": room.hub.live().link_up, "version": room.deps.version}
    return JSONResponse(body, status_code=200 if room.hub.running else 503)


@router.post("/api/session")
async def sign_in(body: SignIn, request: Request, room: InRoom) -> JSONResponse:
    """Check the password and set the cookie."""
    address = request.client.host if request.client else ""
    try:
        signed = await room.deps.accounts.sign_in(body.user, body.password, address)
    except TooManyAttempts as error:
        wait = str(max(1, round(error.wait_seconds)))
        raise ApiError(
            429, "too_many_attempts", error.message, hint=error.hint, headers={"Retry-After": wait}
        ) from None
    except WrongCredentials as error:
        raise ApiError(401, "wrong_credentials", error.message) from None
    response = JSONResponse(_me(room, Identity(signed.account, signed.token_hash)))
    response.set_cookie(
        COOKIE,
        signed.token,
        max_age=int(room.deps.accounts.session_lifetime.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=room.deps.site.web.secure_cookies,
        path="/",
    )
    return response


@router.get("/api/session")
async def who_am_i(identity: Signed, room: InRoom) -> dict[str, Any]:
    """Who the cookie stands for."""
    return _me(room, identity)


@router.delete("/api/session", status_code=204)
async def sign_out(identity: Signed, room: InRoom) -> Response:
    """End the session and every socket that was opened with it."""
    await room.deps.accounts.sign_out(identity.session, identity.account.name)
    room.door.end_session(identity.session)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return response


@router.get("/api/site")
async def site(_identity: Signed, room: InRoom) -> dict[str, Any]:
    """What a page needs to know once."""
    here = room.deps.site
    return {
        "name": here.site.name,
        "language": here.site.language,
        "timezone": here.site.timezone,
        "version": room.deps.version,
        "within_seconds": here.figures.answer_within_seconds,
        "answer_rate_norm": here.figures.answer_rate_norm,
        "pause_reasons": list(room.deps.pause_reasons),
        "agents_listen": here.recording.agents_listen,
        "second_pass": here.asr.second_pass is not None,
        "lines": [
            {
                "id": line.id,
                "label": line.label,
                "name": line.name,
                "parent": line.parent,
                "queue": line.queue_name,
                "order_fields": [field.value for field in order_fields(here, line)],
                "keywords": keywords_of(here, line),
            }
            for line in here.lines
        ],
        "caller_lists": [{"name": one.name, "title": one.title} for one in here.caller_lists],
        "agents": [
            {"agent": agent.id, "name": agent.name, "extension": agent.extension} for agent in here.agents
        ],
        "numbers": [{"name": one.name, "number": one.number} for one in here.transfer.numbers],
        "emergency": [
            {"service": one.emergency_service, "name": one.name, "number": one.number}
            for one in here.transfer.numbers
            if one.emergency_service is not None
        ],
    }


@router.get("/api/live")
async def live(identity: Signed, room: InRoom) -> Any:
    """The present, as far as it is this user's business."""
    return to_json(visible_live(room.hub.live(), identity.viewer()))


@router.get("/api/figures/today")
async def figures_today(_identity: Signed, room: InRoom) -> Any:
    """Today's figures."""
    return to_json(await room.deps.figures.today())


@router.get("/api/calls/{call_id}")
async def one_call(call_id: CallId, identity: Signed, room: InRoom) -> dict[str, Any]:
    """One call with its text, notes and draft of a work order; to an agent up to the end of the own part."""
    call = await find_call(room, identity, call_id)
    segments, notes = await own_texts(room, identity, call_id), await room.deps.marks.notes(call_id)
    part = await own_part(room, identity, call_id)
    if part is not None:
        notes = [one for one in notes if one.at <= part.until or one.user == identity.account.name]
    whole = await was_there(room, identity, call_id)
    shown = segments if whole else mask_segments(segments, goes_on=goes_on(room, call_id))
    return {
        "call": to_json(call),
        "segments": to_json(shown),
        "text_masked": shown != segments,
        "notes": to_json(notes),
        "draft": to_json(await shown_draft(room, identity, call)),
        "callbacks": to_json(await room.deps.history.callbacks_of(call_id)),
        "nuisance": room.deps.marks.is_nuisance(call.caller_number),
    }


@router.post("/api/calls/{call_id}/reveal")
async def reveal(call_id: CallId, identity: Signed, room: InRoom) -> dict[str, str]:
    """The caller's whole number; recorded first, so that no view goes unrecorded."""
    call = await find_call(room, identity, call_id)
    await room.deps.audit.record(identity.account.name, "reveal_number", call_id)
    return {"caller_number": call.caller_number}


def _me(room: Room, identity: Identity) -> dict[str, Any]:
    account = identity.account
    seat = next((one for one in room.hub.live().agents if one.agent == account.agent), None)
    skills = next((one.skills for one in room.deps.site.agents if one.id == account.agent), {})
    return {
        "user": account.name,
        "name": account.display_name,
        "role": account.role,
        "agent": to_json(seat),
        "queues": [
            {"queue": queue.name, "title": queue.title}
            for queue in room.deps.site.queues
            if queue.name in skills
        ],
    }


async def find_call(room: Room, identity: Identity, call_id: str) -> CallSummary:
    """The call, unmasked, if this user may see it: supervisors every one, agents what they have or had."""
    seat = identity.account.agent
    alive = _alive(room, identity, call_id)
    stored: CallSummary | None = None
    if identity.supervisor or has_now(room, identity, call_id):
        stored = await room.deps.history.one(call_id, agent=None)
    elif seat is not None:
        stored = await room.deps.history.one(call_id, agent=seat)
    if stored is not None:
        return stored
    if alive is not None:
        return _summary(alive)
    raise ApiError(404, "not_found", NO_SUCH_CALL)


def has_now(room: Room, identity: Identity, call_id: str) -> bool:
    """Whether the call is this agent's: it rings, is talked on, or was, and nobody else has it since."""
    seat = identity.account.agent
    return _alive(room, identity, call_id) is not None or (
        seat is not None and room.hub.ownership.has(call_id, seat)
    )


async def was_there(room: Room, identity: Identity, call_id: str) -> bool:
    """Whether the numbers said on a call are open to this user: the own seat has it or took part."""
    seat = identity.account.agent
    if not identity.supervisor:
        return True  # an agent reads no other calls
    if seat is None:
        return False
    has = in_hand(room, identity, call_id) or room.hub.ownership.has(call_id, seat)
    return has or await room.deps.history.one(call_id, agent=seat) is not None


def goes_on(room: Room, call_id: str) -> bool:
    """Whether the call is alive, whoever has it."""
    return any(call.call_id == call_id for call in room.hub.live().calls)


async def own_part(room: Room, identity: Identity, call_id: str) -> OwnPart | None:
    """How much of a call is an agent's to read and hear; None: all of it."""
    seat = identity.account.agent
    if identity.supervisor or seat is None or has_now(room, identity, call_id):
        return None
    return await room.deps.history.own_part(call_id, seat)


async def own_texts(room: Room, identity: Identity, call_id: str) -> list[Segment]:
    """What was said in a call, as far as it is this user's to read."""
    until = await readable_seconds(room, identity, call_id)
    return [one for one in await room.deps.transcripts.of_call(call_id) if one.start_seconds < until]


async def readable_seconds(room: Room, identity: Identity, call_id: str) -> float:
    """Up to when, on its transcript's clock, a call is this user's to read."""
    part = await own_part(room, identity, call_id)
    return math.inf if part is None else part.seconds


def _alive(room: Room, identity: Identity, call_id: str) -> CallView | None:
    seen = visible_live(room.hub.live(), identity.viewer())
    return next((call for call in seen.calls if call.call_id == call_id), None)


def _summary(call: CallView) -> CallSummary:
    """A call that is alive and not written down yet."""
    return CallSummary(
        call_id=call.call_id,
        line=call.line,
        did=call.did,
        caller_number=call.caller_number,
        menu_path=call.menu_path,
        started_at=call.started_at,
        outcome=Outcome.ANSWERED if call.answered_at is not None else None,
        agent=call.agent,
        wait_seconds=call.wait_seconds,
        talk_seconds=None,
        language=call.language,
        callback_of=call.callback_of,
    )
