"""``/api/reports``: reports (通报), for supervisors: made by schedule or now, edited, made final, fetched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter
from fastapi.params import Path as InPath
from fastapi.responses import FileResponse
from pydantic import Field

from hotline.agent_console.errors import ApiError
from hotline.agent_console.routes import Body, InRoom, Signed, supervisor
from hotline.agent_console.wire import to_json
from hotline.core.errors import HotlineError, IllegalState, UsageError
from hotline.core.reports import ReportContent, ReportOrder

router = APIRouter()
LISTED: Final = "GET /api/reports lists them"
Named = Annotated[str, InPath(max_length=60)]
Day = Annotated[str, Field(max_length=20)]
Revision = Annotated[str, Field(min_length=1, max_length=64)]


class Ordered(Body):
    """What to make; ``last`` and ``words`` of a topic, ``scores`` of any other: a file's text."""

    what: Literal["day", "week", "month", "topic"]
    period: Day
    last: Day = ""
    words: Annotated[str, Field(max_length=60)] = ""
    again: bool = False
    scores: Annotated[str, Field(max_length=50_000)] = ""


class Edited(Body):
    """Texts by id, as they shall be; null: as they were made."""

    revision: Revision
    texts: Annotated[
        dict[str, Annotated[str, Field(min_length=1, max_length=8000)] | None],
        Field(min_length=1, max_length=200),
    ]


class Seen(Body):
    """The content that becomes final."""

    revision: Revision


@contextmanager
def _told() -> Iterator[None]:
    """Errors of reports as the API's."""
    try:
        yield
    except UsageError as error:
        raise ApiError(400, "bad_request", error.message, hint=error.hint) from error
    except IllegalState as error:
        raise ApiError(409, error.code, error.message, hint=error.hint) from error
    except HotlineError as error:  # a draft that somebody edited by hand, wrongly
        raise ApiError(409, "report_unreadable", error.message, hint=error.hint) from error


def _found(content: ReportContent | None) -> Any:
    if content is None:
        raise ApiError(
            404, "not_found", "there is no draft of this report", hint="GET /api/reports lists them"
        )
    return to_json(content)


@router.get("/api/reports")
async def reports(identity: Signed, room: InRoom) -> Any:
    """Every report there is, newest first, and the one that is being made."""
    supervisor(identity)
    return to_json(await room.deps.reports.reports())


@router.post("/api/reports", status_code=202)
async def make(body: Ordered, identity: Signed, room: InRoom) -> Any:
    """Have one made now."""
    user = supervisor(identity)
    with _told():
        making = await room.deps.reports.begin(ReportOrder(**body.model_dump()))
    await room.deps.audit.record(user, "report_make", f"{making.name}/{making.period}", body.words)
    return to_json(making)


@router.get("/api/reports/{name}/{period}/content")
async def content(name: Named, period: Named, identity: Signed, room: InRoom) -> Any:
    """What a report says now."""
    supervisor(identity)
    with _told():
        found = await room.deps.reports.content(name, period)
    return _found(found)


@router.put("/api/reports/{name}/{period}/texts")
async def edit(name: Named, period: Named, body: Edited, identity: Signed, room: InRoom) -> Any:
    """Other words for its headings and sentences."""
    user = supervisor(identity)
    with _told():
        edited = await room.deps.reports.edit(name, period, body.revision, body.texts)
    found = _found(edited)
    await room.deps.audit.record(user, "report_edit", f"{name}/{period}", ", ".join(body.texts)[:200])
    return found


@router.post("/api/reports/{name}/{period}/final")
async def finish(name: Named, period: Named, body: Seen, identity: Signed, room: InRoom) -> Any:
    """Make it final, in the name of whoever asks."""
    user = supervisor(identity)
    with _told():
        by = identity.account.display_name or user
        final = await room.deps.reports.finish(name, period, body.revision, by)
    found = _found(final)
    await room.deps.audit.record(user, "report_final", f"{name}/{period}")
    return found


@router.get("/api/reports/{name}/{file}")
async def download(name: Named, file: Named, identity: Signed, room: InRoom) -> FileResponse:
    """One file, written first if the draft says something newer; who fetched it is in the audit log first."""
    user = supervisor(identity)
    with _told():
        found = await room.deps.reports.file(name, file)
    if found is None:
        raise ApiError(404, "not_found", "there is no such report", hint=LISTED)
    await room.deps.audit.record(user, "report_download", f"{name}/{file}")
    return FileResponse(found, filename=f"{name}-{file}", content_disposition_type="attachment")
