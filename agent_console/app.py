"""The console as one ASGI application: API, socket, pages."""

from __future__ import annotations

from fastapi import FastAPI, WebSocket

from hotline.agent_console import (
    agents_api,
    alerts_api,
    api,
    board_api,
    callbacks_api,
    control_api,
    drafts_api,
    errors,
    figures_api,
    past_api,
    points_api,
    recordings_api,
    reports_api,
    search_api,
    staffing_api,
    supervise_api,
    text_api,
    transcripts_api,
    trials_api,
    views_api,
)
from hotline.agent_console.deps import ConsoleDeps
from hotline.agent_console.gate import Gate
from hotline.agent_console.hub import Hub
from hotline.agent_console.listenings import Listenings
from hotline.agent_console.pages import Pages
from hotline.agent_console.room import Room
from hotline.agent_console.sockets import Door


def create_app(deps: ConsoleDeps) -> FastAPI:
    """Put the console together; ``ConsoleServer`` also runs the hub, without which nothing is pushed."""
    hub = Hub(deps.bus, deps.picture, deps.figures, deps.clock)
    room = Room(deps, hub, Door(deps, hub), Listenings(deps.clock))
    app = FastAPI(title="hotline console", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.room = room
    app.add_middleware(Gate, allowed_origins=deps.site.web.allowed_origins)
    errors.install(app)
    parts = (
        api, past_api, agents_api, alerts_api, callbacks_api, control_api, drafts_api, figures_api, board_api,
        views_api, points_api, recordings_api, reports_api, search_api, staffing_api, supervise_api,
        text_api, transcripts_api, trials_api,
    )  # fmt: skip
    for part in parts:
        app.include_router(part.router)

    @app.websocket("/ws")
    async def _socket(socket: WebSocket) -> None:
        await room.door.serve(socket)

    app.router.redirect_slashes = False
    app.router.default = Pages(deps.web_dist)  # what no route matches; wrong methods on routes stay 405
    return app


__all__ = ["ConsoleDeps", "create_app"]
