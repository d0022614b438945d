"""Many rows in, fast: one statement a table, compiled once and run for every row of a save.

SQLite and PostgreSQL prepare it once; a statement of many VALUES would be compiled anew for each number of
rows, which costs five to twelve times as much. The driver is handed plain tuples: the way through
SQLAlchemy's parameters takes longer than SQLite takes to write the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from operator import attrgetter
from typing import Any

from sqlalchemy import Dialect, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import StatementError
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
    connection = await session.connection()
    many = _prepared(connection.dialect, model, kind, key, replace)
    try:
        parameters = [many.values(row) for row in rows]
    except ValueError as error:
        raise StatementError("a value that no database takes", many.sql, None, error) from error
    await connection.exec_driver_sql(many.sql, parameters)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A statement as the driver takes it, and how a record becomes its parameters."""

    sql: str
    read: Callable[[Any], tuple[Any, ...]]
    converted: tuple[tuple[int, Callable[[Any], Any]], ...]  # which of the values the driver cannot take

    def values(self, row: Any) -> tuple[Any, ...]:
        values = list(self.read(row))
        for index, convert in self.converted:
            values[index] = convert(values[index])
        return tuple(values)


@lru_cache(maxsize=100)  # a process has one database, tests have many
def _prepared(
    dialect: Dialect, model: type[Base], kind: Any, key: tuple[str, ...], replace: bool
) -> _Prepared:
    names = tuple(field.name for field in fields(kind))
    insert = (postgresql.insert if dialect.name == "postgresql" else sqlite.insert)(model).inline()
    insert = insert.values({name: bindparam(name) for name in names})
    changed = {name: insert.excluded[name] for name in names if name not in key}
    statement = (
        insert.on_conflict_do_update(index_elements=list(key), set_=changed)
        if replace
        else insert.on_conflict_do_nothing(index_elements=list(key))
    )
    compiled: Any = statement.compile(dialect=dialect)
    columns, order = model.__table__.columns, compiled.positiontup
    processors = [columns[name].type.dialect_impl(dialect).bind_processor(dialect) for name in order]
    return _Prepared(
        compiled.string,
        attrgetter(*order),
        tuple((index, convert) for index, convert in enumerate(processors) if convert is not None),
    )
