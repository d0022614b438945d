"""``hotline serve``: the server until a signal, or until a part of it fails."""

from __future__ import annotations

import asyncio
import logging
import signal
import time

from hotline.config.schema import Site
from hotline.server.app import HotlineServer

log = logging.getLogger(__name__)


async def serve(site: Site, *, keep_asterisk: bool | None) -> int:
    """Run the server; return the exit code: 0 after a signal, 1 when a part failed.

    The first SIGINT or SIGTERM asks for an orderly stop; the second ends the process at once.
    """
    began = time.monotonic()
    server = HotlineServer(site, keep_asterisk=keep_asterisk)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.request_stop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    await server.start()
    try:
        log.info("ready after %.1f s: %s", time.monotonic() - began, server.console.url)
        await server.wait()
        log.info("stopping")
    finally:
        await server.aclose()
    return 1 if server.failure else 0
