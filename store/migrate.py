"""Bring a database to the shape of ``store.models``: run at every start, a no-op when it is there already.

To write the next migration after changing the models: ``python -m hotline.store.migrate "what changes"``.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.core.errors import SetupError
from hotline.store.cells import METADATA
from hotline.store.database import BUSY_SECONDS, open_engine
from hotline.store.models import SEARCH_INDEX

if TYPE_CHECKING:
    from alembic.config import Config  # imported where there is something to do: it takes a quarter second

MIGRATIONS: Final = Path(__file__).resolve().parent / "migrations"
_LOCK_KEY: Final = 12345_0001  # PostgreSQL advisory lock: one program migrates, the others wait


async def upgrade(engine: AsyncEngine) -> None:
    """Apply every migration that the database lacks, all or nothing; several programs may do so at once.

    Raises:
        SetupError: the database cannot be reached or written, or was made by a newer version.
    """
    try:
        if engine.dialect.name == "sqlite" and engine.url.database:
            await asyncio.to_thread(_open_as_wal, engine.url.database)
        async with engine.connect() as connection:
            await connection.run_sync(_upgrade)
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        cause = getattr(error, "orig", None) or error
        first_line = (str(cause) or type(cause).__name__).splitlines()[0]
        raise SetupError(
            f"the database cannot be used: {first_line}",
            hint="check database.url, its password and the free space of its disk",
        ) from error


async def differences(engine: AsyncEngine) -> list[Any]:
    """What alembic would still change to reach the models; empty when models and migrations agree."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    def compare(connection: Connection) -> list[Any]:
        options = {"compare_type": True, "include_name": described}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, METADATA))

    async with engine.connect() as connection:
        return await connection.run_sync(compare)


def described(name: str | None, kind: str, _parents: Any) -> bool:
    """Whether the models say what this part of a database should be like (alembic's ``include_name``)."""
    return kind != "table" or not (name or "").startswith(SEARCH_INDEX)


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _open_as_wal(path: str) -> None:
    """Make the file one with a write-ahead log, as every connection wants it.

    Of several programs that do so at once SQLite refuses all but one, without its busy timeout. And a file
    that cannot be opened fails here: aiosqlite's thread would outlive the failure and complain.
    """
    give_up_at = time.monotonic() + BUSY_SECONDS
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_at:
                    raise
            time.sleep(0.02)


def newest() -> str:
    """The newest migration: files bear their numbers."""
    return max(file.name for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))[:4]


def _upgrade(connection: Connection) -> None:
    if inspect(connection).has_table("alembic_version"):
        present = connection.scalars(text("SELECT version_num FROM alembic_version"))
        if list(present) == [newest()]:
            return  # without taking any lock: the usual start
    from alembic import command
    from alembic.util.exc import CommandError

    connection.rollback()
    if connection.dialect.name == "sqlite":
        # the driver would otherwise commit before each statement that changes the schema
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK_KEY})")
    try:
        command.upgrade(_config(connection), "head")
    except CommandError as error:
        raise SetupError(
            "the database does not fit this version of the program",
            hint=f"install the version that made it, or restore a backup ({error})",
        ) from error
    connection.commit()


async def _write_next(message: str) -> None:
    """Compare the models with a database made by the migrations and write the difference as a new one."""
    from alembic import command

    with TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite+aiosqlite:///{folder}/shape.db")
        try:
            await upgrade(engine)
            async with engine.connect() as connection:
                await connection.run_sync(
                    lambda sync: command.revision(
                        _config(sync), message, autogenerate=True, rev_id=f"{int(newest()) + 1:04d}"
                    )
                )
        finally:
            await engine.dispose()


if __name__ == "__main__":
    asyncio.run(_write_next(" ".join(sys.argv[1:]) or "change"))
