"""Opening the database: SQLite in WAL mode by default, PostgreSQL when the site names one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

Sessions = async_sessionmaker[AsyncSession]
"""Makes a session; use ``async with sessions.begin() as session``."""


def open_engine(url: str) -> AsyncEngine:
    """Make the engine for ``url`` (``sqlite+aiosqlite:///FILE`` or ``postgresql+asyncpg://…``).

    SQLite gets WAL (readers never wait for the writer), a busy timeout of 5 s and foreign keys.
    """
    if not url.startswith("sqlite"):
        return create_async_engine(url, pool_pre_ping=True, pool_size=5, max_overflow=5)
    engine = create_async_engine(url, connect_args={"timeout": 5})

    @event.listens_for(engine.sync_engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


def sessions_of(engine: AsyncEngine) -> Sessions:
    """The session maker of an engine; objects stay usable after a commit."""
    return async_sessionmaker(engine, expire_on_commit=False)
