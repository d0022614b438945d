"""The browser app's files, or a plain page that says how to get them.

Files under ``assets/`` carry a hash of their content in their name and may be kept for ever; everything else
is asked for again each time. Whether the app is built is looked at per request: ``make web`` needs no
restart.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

log = logging.getLogger(__name__)

PAGES: Final = frozenset(
    {"", "agent", "board", "wallboard", "figures", "staffing", "reports", "test-calls", "login"}
)
"""First parts of addresses that the app's own router knows."""

HOW_TO_GET_PAGES: Final = "the pages are not built: run `make web` in the source folder (needs Node once)"
_PLAIN_PAGE: Final = """<!doctype html>
<html lang="zh-CN">
<meta charset="utf-8">
<title>12345</title>
<h1>网页尚未构建</h1>
<p>服务器运行正常。请在源代码目录执行 <code>make web</code>，然后刷新本页。</p>
<p lang="en">The server is running. Run <code>make web</code> in the source folder, then reload this page.</p>
</html>
"""


class Pages(StaticFiles):
    """Static files with a fallback to the app's index for the addresses of its router."""

    def __init__(self, dist: Path) -> None:
        super().__init__(directory=dist, check_dir=False)
        self._dist = dist.resolve()
        if not self._index.is_file():
            log.warning("%s", HOW_TO_GET_PAGES)

    @property
    def _index(self) -> Path:
        return self._dist / "index.html"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a file; there are no sockets here."""
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    async def check_config(self) -> None:
        """The folder may come later; its absence is a page of its own."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, the app's index, the plain page, or 404."""
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405)
        first, _, _ = path.strip("./").partition("/")
        if first in PAGES:
            return self._app_page()
        response = await super().get_response(path, scope)
        hashed = first == "assets" and response.status_code in (200, 304)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
        return response

    def _app_page(self) -> Response:
        headers = {"Cache-Control": "no-cache"}
        if self._index.is_file():
            return FileResponse(self._index, headers=headers)
        return HTMLResponse(_PLAIN_PAGE, status_code=503, headers=headers)
