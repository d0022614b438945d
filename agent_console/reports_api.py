"""``GET /api/reports``: reports that the server made by its schedule, for supervisors."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.params import Path as InPath
from fastapi.responses import FileResponse

from hotline.agent_console.errors import ApiError
from hotline.agent_console.routes import InRoom, Signed, supervisor
from hotline.agent_console.wire import to_json
from hotline.store.report_shelf import ReportShelf

router = APIRouter()
Named = Annotated[str, InPath(max_length=60)]


@router.get("/api/reports")
async def reports(identity: Signed, room: InRoom) -> dict[str, Any]:
    """Every file there is, newest first."""
    supervisor(identity)
    return {"reports": to_json(await asyncio.to_thread(ReportShelf(room.deps.site.data_dir).made))}


@router.get("/api/reports/{name}/{file}")
async def download(name: Named, file: Named, identity: Signed, room: InRoom) -> FileResponse:
    """One file; who fetched it is in the audit log first."""
    user = supervisor(identity)
    found = await asyncio.to_thread(ReportShelf(room.deps.site.data_dir).file, name, file)
    if found is None:
        raise ApiError(404, "not_found", "there is no such report", hint="GET /api/reports lists them")
    await room.deps.audit.record(user, "report_download", f"{name}/{file}")
    return FileResponse(found, filename=f"{name}-{file}", content_disposition_type="attachment")
