"""Callers who asked to be called back: ledger rows of that class, until somebody has spoken with them.

A request is not stored twice: it is the ledger's own row. What is kept beside it is who took it and how it
ended. A talk of kind ``callback``, in a call that answers that one, ends it by itself.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from sqlalchemy import Select, delete, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from hotline.core.clock import Clock
from hotline.core.events import CallbackResult, Outcome, TalkKind
from hotline.core.views import CallbackRequest
from hotline.store.database import Sessions
from hotline.store.models import Call, CallbackRow, QueueEntry, TalkRow

ASKED_WITHIN: Final = timedelta(days=7)  # older ones are history, not work
TAKEN_FOR: Final = timedelta(minutes=15)  # then somebody else may try
LISTED: Final = 200


class Callbacks:
    """The Callbacks port. Every method raises ``sqlalchemy.exc.SQLAlchemyError`` without a database."""

    def __init__(self, sessions: Sessions, clock: Clock) -> None:
        self._sessions, self._clock = sessions, clock

    async def waiting(self, queues: Collection[str] | None) -> list[CallbackRequest]:
        """Requests that nobody has met, the oldest first; of these queues, or of all."""
        query = self._waiting().order_by(QueueEntry.closed_at).limit(LISTED)
        if queues is not None:
            query = query.where(QueueEntry.queue.in_(queues))
        async with self._sessions() as session:
            return [_request(entry, call, taken) for entry, call, taken in await session.execute(query)]

    async def take(self, entry_id: str, user: str) -> CallbackRequest | None:
        """The request, which is this user's for a while; None if it is another's or no longer waits."""
        async with self._sessions.begin() as session:
            request = await self._one(session, entry_id)
            now = self._clock.now()
            if request is None:
                return None
            if request.taken_at and request.taken_by != user and now - request.taken_at < TAKEN_FOR:
                return None
            await session.merge(CallbackRow(entry_id=entry_id, user=user, at=now, result=None))
        return request

    async def give_back(self, entry_id: str, user: str) -> None:
        """This user could not set out after all: anybody may take it."""
        mine = (CallbackRow.entry_id == entry_id, CallbackRow.user == user, CallbackRow.result.is_(None))
        async with self._sessions.begin() as session:
            await session.execute(delete(CallbackRow).where(*mine))

    async def end(self, entry_id: str, user: str, result: CallbackResult) -> bool:
        """Say how it ended; False if it does not wait."""
        async with self._sessions.begin() as session:
            if await self._one(session, entry_id) is None:
                return False
            row = CallbackRow(entry_id=entry_id, user=user, at=self._clock.now(), result=result.value)
            await session.merge(row)
        return True

    async def _one(self, session: AsyncSession, entry_id: str) -> CallbackRequest | None:
        found = (await session.execute(self._waiting().where(QueueEntry.entry_id == entry_id))).first()
        return _request(found[0], found[1], found[2]) if found else None

    def _waiting(self) -> Select[QueueEntry, Call, CallbackRow]:
        back = aliased(Call)
        spoken = exists().where(
            back.callback_of == QueueEntry.call_id,
            TalkRow.call_id == back.call_id,
            TalkRow.kind == TalkKind.CALLBACK.value,
            TalkRow.answered_at >= QueueEntry.closed_at,
        )
        return (
            select(QueueEntry, Call, CallbackRow)
            .join(Call, Call.call_id == QueueEntry.call_id)
            .outerjoin(CallbackRow, CallbackRow.entry_id == QueueEntry.entry_id)
            .where(
                QueueEntry.joined_at >= self._clock.now() - ASKED_WITHIN,
                QueueEntry.outcome == Outcome.CALLBACK.value,
                or_(CallbackRow.entry_id.is_(None), CallbackRow.result.is_(None)),
                ~spoken,
            )
        )


def _request(entry: QueueEntry, call: Call, row: CallbackRow | None) -> CallbackRequest:
    return CallbackRequest(
        entry_id=entry.entry_id,
        call_id=entry.call_id,
        line=entry.line,
        queue=entry.queue,
        caller_number=call.caller_number,
        asked_at=entry.closed_at or entry.joined_at,
        wait_seconds=entry.wait_ms / 1000,
        taken_by=row.user if row else None,
        taken_at=row.at if row else None,
    )
