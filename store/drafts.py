"""Drafts of work orders: one row a call, which two people may write on without losing each other's words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import update

from hotline.core.clock import Clock
from hotline.core.drafts import Draft, DraftFields, StaleDraft
from hotline.store.database import Sessions
from hotline.store.models import OrderDraft
from hotline.store.upsert import insert_new

_FIELDS = TypeAdapter(DraftFields)


@dataclass(frozen=True, slots=True)
class _Row:
    call_id: str
    revision: int
    fields: str
    updated_by: str
    updated_at: datetime


class DraftStore:
    """The Drafts port. Every method raises ``sqlalchemy.exc.SQLAlchemyError`` when the database is away."""

    def __init__(self, sessions: Sessions, clock: Clock) -> None:
        self._sessions, self._clock = sessions, clock

    async def of_call(self, call_id: str) -> Draft | None:
        """The call's draft, if anybody has saved one."""
        async with self._sessions() as session:
            row = await session.get(OrderDraft, call_id)
            return None if row is None else _draft(row)

    async def save(self, call_id: str, revision: int, fields: DraftFields, user: str) -> Draft:
        """Replace ``revision`` of the draft (0: begin it).

        Saving the same again, after an answer that was lost, is no error.

        Raises:
            StaleDraft: the draft has another revision by now.
        """
        text = _FIELDS.dump_json(fields).decode()
        new = _Row(call_id, revision + 1, text, user, self._clock.now())
        replacing = (
            update(OrderDraft)
            .where(OrderDraft.call_id == call_id, OrderDraft.revision == revision)
            .values(revision=new.revision, fields=text, updated_by=user, updated_at=new.updated_at)
        )
        async with self._sessions.begin() as session:
            if revision == 0:
                await insert_new(session, OrderDraft, [new], ("call_id",))
            else:
                await session.execute(replacing)
            row = await session.get(OrderDraft, call_id)
            current = Draft(call_id, 0, DraftFields()) if row is None else _draft(row)
        if (current.revision, current.fields, current.updated_by) != (new.revision, fields, user):
            raise StaleDraft(current)
        return current


def _draft(row: OrderDraft) -> Draft:
    return Draft(row.call_id, row.revision, _FIELDS.validate_json(row.fields), row.updated_by, row.updated_at)
