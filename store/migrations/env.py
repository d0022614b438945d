"""Alembic's entry: runs the migrations on the connection that ``store.migrate`` hands over."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from hotline.store.cells import METADATA
from hotline.store.migrate import described
from hotline.store.models import UtcDateTime


def _plain_types(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our own column types as what they are in the database: a migration outlives the models' names."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    compare_type=True,
    include_name=described,
    render_item=_plain_types,
    render_as_batch=connection.dialect.name == "sqlite",  # SQLite cannot alter a column in place
)
context.run_migrations()  # the transaction is the caller's
