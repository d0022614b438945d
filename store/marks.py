"""What people write on calls: notes, and callers marked as a nuisance. Rows are only ever added."""

from __future__ import annotations

from sqlalchemy import func, select

from hotline.core.clock import Clock
from hotline.core.views import Note, NuisanceMark
from hotline.store.database import Sessions
from hotline.store.models import NoteRow, NuisanceRow, User


class Marks:
    """The CallMarks port. ``load`` first: who is a nuisance is asked of memory, at every live picture.

    Every writing method raises ``sqlalchemy.exc.SQLAlchemyError`` when the database cannot be had.
    """

    def __init__(self, sessions: Sessions, clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock
        self._nuisances: set[str] = set()  # a number takes 100 bytes: a city's whole list is small

    async def load(self) -> None:
        """Learn which numbers are marked."""
        newest = select(func.max(NuisanceRow.id)).group_by(NuisanceRow.caller_number)
        query = select(NuisanceRow.caller_number).where(
            NuisanceRow.id.in_(newest), NuisanceRow.nuisance.is_(True)
        )
        async with self._sessions() as session:
            self._nuisances = set(await session.scalars(query))

    def is_nuisance(self, caller_number: str) -> bool:
        """Whether the newest mark of this number says so."""
        return caller_number in self._nuisances

    async def add_note(self, call_id: str, user: str, text: str) -> Note:
        """Keep a note."""
        at = self._clock.now()
        async with self._sessions.begin() as session:
            session.add(NoteRow(call_id=call_id, at=at, user=user, text=text))
            name = await session.scalar(select(User.display_name).where(User.name == user))
        return Note(call_id, at, user, text, name or "")

    async def notes(self, call_id: str) -> list[Note]:
        """The call's notes, oldest first."""
        query = (
            select(NoteRow, User.display_name)
            .outerjoin(User, User.name == NoteRow.user)
            .where(NoteRow.call_id == call_id)
            .order_by(NoteRow.id)
        )
        async with self._sessions() as session:
            return [
                Note(row.call_id, row.at, row.user, row.text, name or "")
                for row, name in await session.execute(query)
            ]

    async def mark(
        self, call_id: str, caller_number: str, user: str, nuisance: bool, reason: str
    ) -> NuisanceMark:
        """Keep a mark; it holds from now on for every call of the number."""
        mark = NuisanceMark(call_id, self._clock.now(), user, nuisance, reason)
        async with self._sessions.begin() as session:
            session.add(
                NuisanceRow(
                    caller_number=caller_number,
                    call_id=call_id,
                    at=mark.at,
                    user=user,
                    nuisance=nuisance,
                    reason=reason,
                )
            )
        if nuisance:
            self._nuisances.add(caller_number)
        else:
            self._nuisances.discard(caller_number)
        return mark
