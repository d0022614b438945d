"""Who is behind a request."""

from __future__ import annotations

from dataclasses import dataclass

from hotline.agent_console.ownership import Topic, Viewer
from hotline.store.accounts import Account

COOKIE = "hotline_session"


@dataclass(frozen=True, slots=True)
class Identity:
    """An account and the hash of the session it came with."""

    account: Account
    session: str

    @property
    def supervisor(self) -> bool:
        """Whether this account sees everybody's calls."""
        return self.account.role == "supervisor"

    def viewer(self, topics: frozenset[Topic] = frozenset()) -> Viewer:
        """This account as the visibility rules know it."""
        return Viewer(self.account.name, self.supervisor, self.account.agent, topics)
