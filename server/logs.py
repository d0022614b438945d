"""Log lines: one format, to stderr, with the time in UTC. They carry call ids, never numbers or words."""

from __future__ import annotations

import logging
import sys
import time


def log_to_stderr(level: str = "INFO") -> None:
    """Send every log line to stderr."""
    formatter = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)-7s %(name)s: %(message)s", "%FT%T")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for chatty in ("asyncio", "alembic", "uvicorn", "aiosqlite", "websockets"):
        logging.getLogger(chatty).setLevel("WARNING")
