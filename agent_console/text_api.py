"""What was said on a call: masked for who was not there, whole for a supervisor who asks; recorded."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from hotline.agent_console.api import CallId, find_call
from hotline.agent_console.routes import InRoom, Signed, supervisor
from hotline.agent_console.wire import to_json

router = APIRouter()


@router.post("/api/calls/{call_id}/reveal-text")
async def reveal_text(call_id: CallId, identity: Signed, room: InRoom) -> dict[str, Any]:
    """The whole text of a call; recorded first, so that no view goes unrecorded."""
    user = supervisor(identity)
    await find_call(room, identity, call_id)
    await room.deps.audit.record(user, "reveal_text", call_id)
    return {"segments": to_json(await room.deps.transcripts.of_call(call_id))}
