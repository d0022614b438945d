"""Many rows in, fast: one statement a table, compiled once and run for every row of a save.

SQLite and PostgreSQL prepare it once; a statement of many VALUES would be compiled anew for each number of
rows, which costs five to twelve times as much.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import Any

from sqlalchemy import Insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from hotline.store.models import Base


async def upsert(session: AsyncSession, model: type[Base], rows: Sequence[Any], key: tuple[str, ...]) -> None:
    """Insert ``rows`` (one dataclass, its fields named like the columns), or update those with their key."""
    await _execute(session, model, rows, key, replace=True)


async def insert_new(
    session: AsyncSession, model: type[Base], rows: Sequence[Any], key: tuple[str, ...]
) -> None:
    """Insert those of ``rows`` whose ``key`` is not there yet."""
    await _execute(session, model, rows, key, replace=False)


async def _execute(
    session: AsyncSession, model: type[Base], rows: Sequence[Any], key: tuple[str, ...], *, replace: bool
) -> None:
    if not rows:
        return
    kind: Any = type(rows[0])
    names, values_of = _reader(kind)
    connection = await session.connection()
    statement = _statement(connection.dialect.name, model, names, key, replace)
    await connection.execute(statement, [dict(zip(names, values_of(row), strict=True)) for row in rows])


@cache
def _reader(kind: Any) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    """The columns of a record, and what reads them all at once."""
    names = tuple(field.name for field in fields(kind))
    return names, attrgetter(*names)


@cache
def _statement(
    dialect: str, model: type[Base], names: tuple[str, ...], key: tuple[str, ...], replace: bool
) -> Insert:
    insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(model).inline()
    if not replace:
        return insert.on_conflict_do_nothing(index_elements=list(key))
    changed = {name: insert.excluded[name] for name in names if name not in key}
    return insert.on_conflict_do_update(index_elements=list(key), set_=changed)
