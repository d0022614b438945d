"""The audit log: who did or saw what. Rows are only ever added."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from hotline.core.clock import Clock
from hotline.store.database import Sessions
from hotline.store.models import Audit


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One entry of the log; ``id`` grows with every entry."""

    id: int
    at: datetime
    user: str
    action: str
    subject: str
    detail: str


class AuditLog:
    """Writes entries, each in its own transaction, so that what was seen is recorded before it is shown."""

    def __init__(self, sessions: Sessions, clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock

    async def record(self, user: str, action: str, subject: str, detail: str = "") -> None:
        """Write one entry; raises what the database raises, since what is not recorded must not happen."""
        async with self._sessions.begin() as session:
            session.add(
                Audit(at=self._clock.now(), user=user, action=action, subject=subject[:120], detail=detail)
            )

    async def recent(
        self, limit: int = 100, *, before: int | None = None, user: str = "", action: str = ""
    ) -> list[AuditRow]:
        """The newest entries, newest first: those older than ``before``, of one user, of one action."""
        query = select(Audit).order_by(Audit.id.desc()).limit(limit)
        if before is not None:
            query = query.where(Audit.id < before)
        if user:
            query = query.where(Audit.user == user)
        if action:
            query = query.where(Audit.action == action)
        async with self._sessions() as session:
            return [
                AuditRow(row.id, row.at, row.user, row.action, row.subject, row.detail)
                for row in await session.scalars(query)
            ]
