"""Opening the database: SQLite in WAL mode by default, PostgreSQL when the site names one."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

Sessions = async_sessionmaker[AsyncSession]
"""Makes a session; use ``async with sessions.begin() as session``."""

BUSY_SECONDS: Final = 5.0
"""How long who finds a SQLite file locked waits for it."""


def open_engine(url: str) -> AsyncEngine:
    """Make the engine for ``url`` (``sqlite+aiosqlite:///FILE`` or ``postgresql+asyncpg://…``).

    SQLite gets WAL (readers never wait for the writer), a busy timeout and foreign keys.
    """
    if not url.startswith("sqlite"):
        return create_async_engine(url, pool_pre_ping=True, pool_size=5, max_overflow=5)
    engine = create_async_engine(url, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine.sync_engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


def sessions_of(engine: AsyncEngine) -> Sessions:
    """The session maker of an engine; objects stay usable after a commit."""
    return async_sessionmaker(engine, expire_on_commit=False)
