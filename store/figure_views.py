"""Views of figures that users keep under a name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, select

from hotline.core.clock import Clock
from hotline.store.database import Sessions
from hotline.store.models import FigureView

MOST_VIEWS: Final = 50
"""Of one user; a name more is refused."""


@dataclass(frozen=True, slots=True)
class SavedView:
    """A view: ``query`` is that of the page's address."""

    name: str
    query: str
    saved_at: datetime


class FigureViews:
    """Every method raises ``sqlalchemy.exc.SQLAlchemyError`` when the database cannot be had."""

    def __init__(self, sessions: Sessions, clock: Clock) -> None:
        self._sessions, self._clock = sessions, clock

    async def of(self, user: str) -> list[SavedView]:
        """A user's views by name."""
        query = select(FigureView).where(FigureView.user == user).order_by(FigureView.name)
        async with self._sessions() as session:
            return [SavedView(row.name, row.query, row.saved_at) for row in await session.scalars(query)]

    async def save(self, user: str, name: str, query: str) -> bool:
        """Keep a view, in place of one of that name; False: the user has `MOST_VIEWS` others."""
        others = select(func.count()).where(FigureView.user == user, FigureView.name != name)
        async with self._sessions.begin() as session:
            if (await session.scalar(others) or 0) >= MOST_VIEWS:
                return False
            await session.merge(FigureView(user=user, name=name, query=query, saved_at=self._clock.now()))
        return True

    async def forget(self, user: str, name: str) -> None:
        """Let a view go, if there is one of that name."""
        async with self._sessions.begin() as session:
            await session.execute(delete(FigureView).where(FigureView.user == user, FigureView.name == name))
