"""What all routes of one app share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from fastapi.requests import HTTPConnection

from hotline.agent_console.deps import ConsoleDeps
from hotline.agent_console.errors import ApiError
from hotline.agent_console.hub import Hub
from hotline.agent_console.identity import COOKIE, Identity
from hotline.agent_console.listenings import Listenings
from hotline.agent_console.sockets import Door


@dataclass(frozen=True, slots=True)
class Room:
    """The app's own: what it was given, the push hub, the door of the sockets, who listens to what."""

    deps: ConsoleDeps
    hub: Hub
    door: Door
    listenings: Listenings


def room_of(connection: HTTPConnection) -> Room:
    """The room of the app that serves this connection."""
    return cast(Room, connection.app.state.room)


async def signed_in(connection: HTTPConnection) -> Identity:
    """The identity of a request.

    Raises:
        ApiError: 401 ``not_signed_in``.
    """
    found = await room_of(connection).deps.accounts.who(connection.cookies.get(COOKIE, ""))
    if found is None:
        raise ApiError(401, "not_signed_in", "sign in first", hint="POST /api/session")
    return Identity(*found)
