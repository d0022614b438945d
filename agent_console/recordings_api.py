"""Routes of recordings: listening to a kept one, pausing that of the own call."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header
from fastapi.responses import StreamingResponse

from hotline.agent_console.api import CallId, find_call, own_part
from hotline.agent_console.errors import ApiError
from hotline.agent_console.identity import Identity
from hotline.agent_console.room import Room
from hotline.agent_console.routes import NO_SUCH_CALL, InRoom, Signed, asked_of_exchange, seat_of
from hotline.agent_console.wire import to_json
from hotline.store.recording_file import CHUNK_BYTES, RecordingDamaged, RecordingReader
from hotline.store.recordings import RecordingRecord

log = logging.getLogger(__name__)

_RANGE: Final = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")

router = APIRouter()


@router.get("/api/calls/{call_id}/recording/about")
async def about(call_id: CallId, identity: Signed, room: InRoom) -> Any:
    """What the player needs beside the sound."""
    record = await _allowed(room, identity, call_id)
    return to_json(await room.deps.recordings.view(record))


@router.get("/api/calls/{call_id}/recording")
async def listen(
    call_id: CallId,
    identity: Signed,
    room: InRoom,
    wanted: Annotated[str | None, Header(alias="Range", max_length=200)] = None,
) -> StreamingResponse:
    """The sound, or a part of it; each listening is in the audit log before the first byte goes out."""
    record = await _allowed(room, identity, call_id)
    try:
        reader = await asyncio.to_thread(room.deps.recordings.open, record)
    except FileNotFoundError:
        raise _no_recording() from None
    except RecordingDamaged as error:
        raise _damaged(call_id, error) from error
    try:
        start, end = _part(wanted, reader.size_bytes)
        if start == 0 or not room.listenings.goes_on(identity.session, call_id):
            await asyncio.to_thread(room.deps.recordings.check, record)
            await room.deps.audit.record(identity.account.name, "recording_listen", call_id)
        room.listenings.note(identity.session, call_id)
    except RecordingDamaged as error:
        reader.close()
        raise _damaged(call_id, error) from error
    except BaseException:
        reader.close()
        raise
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Length": str(end - start),
        "Content-Disposition": f'inline; filename="{re.sub(r"[^A-Za-z0-9._-]", "_", call_id)}.wav"',
    }
    if wanted is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{reader.size_bytes}"
    return StreamingResponse(
        _stream(reader, start, end), 206 if wanted is not None else 200, headers, media_type="audio/wav"
    )


@router.post("/api/call/{call_id}/recording/pause")
async def pause(call_id: CallId, identity: Signed, room: InRoom) -> Any:
    """Record silence while the caller says what must not be kept."""
    _own_call(room, identity, call_id)
    await asked_of_exchange(room.deps.recording_desk.pause(call_id, identity.account.name))
    return to_json(_own_call(room, identity, call_id))


@router.post("/api/call/{call_id}/recording/resume")
async def resume(call_id: CallId, identity: Signed, room: InRoom) -> Any:
    """Record again."""
    _own_call(room, identity, call_id)
    await asked_of_exchange(room.deps.recording_desk.resume(call_id, identity.account.name))
    return to_json(_own_call(room, identity, call_id))


def _own_call(room: Room, identity: Identity, call_id: str) -> Any:
    seat = seat_of(identity)
    for call in room.hub.live().calls:
        if call.call_id == call_id and call.agent == seat:
            return call
    raise ApiError(404, "not_found", NO_SUCH_CALL)


async def _allowed(room: Room, identity: Identity, call_id: str) -> RecordingRecord:
    """A recording this user may listen to: supervisors all, agents their own where the site allows.

    One cannot be cut where an agent handed the call on: then it is for those who stayed, and supervisors.
    """
    await find_call(room, identity, call_id)
    part = await own_part(room, identity, call_id)
    if part is not None and part.others_after:
        raise ApiError(
            403, "handed_on", "somebody else spoke with the caller after you", hint="ask a supervisor"
        )
    if not identity.supervisor and not room.deps.site.recording.agents_listen:
        raise ApiError(403, "forbidden", "recordings are for supervisors", hint="recording.agents_listen")
    record = await room.deps.recordings.one(call_id)
    if record is None:
        raise _no_recording()
    return record


def _no_recording() -> ApiError:
    return ApiError(
        404, "no_recording", "this call has no recording", hint="it may have been deleted in time"
    )


def _damaged(call_id: str, error: RecordingDamaged) -> ApiError:
    log.error("the recording of call %s cannot be played: %s", call_id, error)
    return ApiError(500, "recording_damaged", error.message, hint=error.hint)


def _part(wanted: str | None, size_bytes: int) -> tuple[int, int]:
    """First byte and end of what a Range header asks for (RFC 9110, 14.1.2; one range only)."""
    if wanted is None:
        return 0, size_bytes
    found = _RANGE.fullmatch(wanted.strip())
    if found is not None and (found[1] or found[2]):
        if not found[1]:
            start, end = max(0, size_bytes - int(found[2])), size_bytes
        else:
            start = int(found[1])
            end = min(size_bytes, int(found[2]) + 1) if found[2] else size_bytes
        if start < end:
            return start, end
    headers = {"Content-Range": f"bytes */{size_bytes}"}
    raise ApiError(416, "bad_range", "there is no such part of the recording", headers=headers)


async def _stream(reader: RecordingReader, start: int, end: int) -> AsyncIterator[bytes]:
    """The bytes; a file that turns out to be damaged ends the answer, which the browser sees as cut off."""
    try:
        while start < end:
            part = await asyncio.to_thread(reader.read, start, min(CHUNK_BYTES, end - start))
            start += len(part)
            yield part
    except RecordingDamaged as error:
        log.error("a recording cannot be played on: %s", error)
    finally:
        reader.close()
