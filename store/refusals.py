"""What a database will never take, and the form in which such a row is kept for a person to look at."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Self

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

SAVE_ERRORS = (SQLAlchemyError, OSError, OverflowError)
"""What a save raises: OSError where no server listens, OverflowError for numbers huge even for SQLite."""

WRONG_DATA = ("22", "23")  # classes of SQLSTATE: for some of asyncpg's errors SQLAlchemy has no class


def is_refusal(error: Exception) -> bool:
    """Whether the rows are to blame; else the database is (locked, full, away, a deadlock): try again."""
    if isinstance(error, DBAPIError):
        state = str(getattr(error.orig, "sqlstate", None) or "")
        return isinstance(error, DataError | IntegrityError) or state.startswith(WRONG_DATA)
    return isinstance(error, StatementError | OverflowError)


@dataclass(frozen=True, slots=True)
class RefusedRecord:
    """A row of ``refused_rows``.

    Attributes:
        digest: of ``row``: a row refused twice is kept once.
        kind: the record's class in ``store.ledger``.
        row: the record as JSON in ASCII, which every database takes.
        error: what the database called it.
    """

    digest: str
    kind: str
    row: str
    error: str

    @classmethod
    def of(cls, record: Any, error: Exception) -> Self:
        """For a record that was refused with ``error``."""
        row = json.dumps(asdict(record), default=str, sort_keys=True)
        cause = type(getattr(error, "orig", None) or error).__name__
        return cls(hashlib.sha256(row.encode()).hexdigest(), type(record).__name__, row, cause)
