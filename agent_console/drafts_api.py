"""The HTTP API of drafts of work orders."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field

from hotline.agent_console.api import CallId, find_call
from hotline.agent_console.drafts import save_draft, shown_draft
from hotline.agent_console.routes import Body, InRoom, Signed
from hotline.agent_console.wire import to_json
from hotline.core.drafts import DraftFields, StaleDraft

router = APIRouter()


class DraftBody(Body):
    """The body of a saving: the revision it was written on, and all fields."""

    revision: Annotated[int, Field(ge=0, le=1_000_000)]
    fields: DraftFields


@router.get("/api/calls/{call_id}/draft")
async def draft(call_id: CallId, identity: Signed, room: InRoom) -> Any:
    """The draft alone: pages ask for it when they hear that it was changed."""
    return to_json(await shown_draft(room, identity, await find_call(room, identity, call_id)))


@router.put("/api/calls/{call_id}/draft")
async def save(call_id: CallId, body: DraftBody, identity: Signed, room: InRoom) -> Any:
    """Save the draft (as who may read the call); 409 with the current one when that is newer."""
    call = await find_call(room, identity, call_id)
    try:
        return to_json(await save_draft(room, identity, call, body.revision, body.fields))
    except StaleDraft as stale:
        error = {"code": "stale", "message": stale.message, "hint": stale.hint}
        return JSONResponse({"error": error, "draft": to_json(stale.current)}, status_code=409)
