"""The HTTP API of the views of figures that a supervisor keeps under a name."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from hotline.agent_console.errors import ApiError
from hotline.agent_console.routes import Body, InRoom, Signed, supervisor
from hotline.agent_console.wire import to_json

router = APIRouter()


class ViewBody(Body):
    """The body of a saving: the name, and the query of the page's address."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    query: Annotated[str, Field(min_length=1, max_length=1000)]


@router.get("/api/figures/views")
async def views(identity: Signed, room: InRoom) -> dict[str, Any]:
    """The own views by name."""
    return {"views": to_json(await room.deps.figure_views.of(supervisor(identity)))}


@router.put("/api/figures/views", status_code=204)
async def save(body: ViewBody, identity: Signed, room: InRoom) -> None:
    """Keep a view, in place of one of that name."""
    if not await room.deps.figure_views.save(supervisor(identity), body.name, body.query):
        raise ApiError(409, "too_many", "there are too many views", hint="let one go first")


@router.delete("/api/figures/views", status_code=204)
async def forget(
    identity: Signed, room: InRoom, name: Annotated[str, Query(min_length=1, max_length=60)]
) -> None:
    """Let a view go."""
    await room.deps.figure_views.forget(supervisor(identity), name)
