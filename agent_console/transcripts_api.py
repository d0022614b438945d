"""The HTTP API of one call's text as a file."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Response

from hotline.agent_console.api import CallId, find_call, goes_on, own_texts, readable_seconds, was_there
from hotline.agent_console.routes import InRoom, Signed
from hotline.agent_console.wire import mask_number, to_json
from hotline.core.text_diff import Comparison, compare
from hotline.core.transcript_files import CallText, FileKind, as_shown, file_name, write_file

router = APIRouter()


@router.get("/api/calls/{call_id}/second-text")
async def second_text(call_id: CallId, identity: Signed, room: InRoom) -> Any:
    """The live text beside what a larger model heard in the recording; ``state`` null: nobody has tried."""
    await find_call(room, identity, call_id)
    version = await room.deps.second_texts.of_call(call_id)
    if version is None:
        return {"state": None, "model": "", "at": None, "differed": None, "rows": []}
    until = await readable_seconds(room, identity, call_id)
    whole = await was_there(room, identity, call_id)
    live = as_shown(await own_texts(room, identity, call_id), whole=whole)
    second = [one for one in as_shown(version.segments, whole=whole) if one.start_seconds < until]
    # on a thread: an hour's talk takes a second to compare
    found = Comparison((), None) if not second else await asyncio.to_thread(compare, live, second)
    return {"state": version.state.value, "model": version.model, "at": to_json(version.at), **to_json(found)}


@router.get("/api/calls/{call_id}/transcript.{kind}")
async def transcript(call_id: CallId, kind: FileKind, identity: Signed, room: InRoom) -> Response:
    """What was said, to be kept as a file (as who may read the call); recorded first."""
    call = await find_call(room, identity, call_id)
    segments = await own_texts(room, identity, call_id)
    whole = await was_there(room, identity, call_id)
    await room.deps.audit.record(identity.account.name, "export_text", call_id, kind.value)
    site = room.deps.site
    said = CallText(
        replace(call, caller_number=mask_number(call.caller_number)),
        as_shown(segments, whole=whole, goes_on=goes_on(room, call_id)),
        {agent.id: agent.name for agent in site.agents},
        ZoneInfo(site.site.timezone),
        site.site.language,
    )
    plain = f"transcript-{re.sub(r'[^A-Za-z0-9._-]', '_', call_id)}.{kind.value}"
    headers = {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''"
        + quote(file_name(said, kind)),
        "Cache-Control": "no-store",
    }
    return Response(write_file(said, kind), headers=headers, media_type=kind.media_type)
