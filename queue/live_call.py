"""One call as the call table holds it, and what it looks like from outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from hotline.core.views import CallView
from hotline.queue.entry import SAME_MOMENT, Entry, EntryState
from hotline.queue.facts import QueueFact
from hotline.store.ledger import CallRecord

MENU_SEPARATOR = " > "


@dataclass(slots=True)
class LiveCall:
    """A call from its arrival until some minutes after its end."""

    call_id: str
    uniqueid: str
    line: str
    did: str
    caller_number: str
    caller_name: str
    started_at: datetime
    menu_path: tuple[str, ...] = ()
    menu_outcome: str | None = None
    menu_ms: int = 0
    fallback_used: bool = False
    hungup_at: datetime | None = None
    announced: bool = False
    entries: list[Entry] = field(default_factory=list)

    def open_entry(self) -> Entry | None:
        """The wait or talk that goes on now."""
        return next((entry for entry in reversed(self.entries) if entry.state is not EntryState.CLOSED), None)

    def entry_of(self, fact: QueueFact) -> Entry | None:
        """The entry a fact speaks of: the newest wait in its queue that had begun by then."""
        for entry in reversed(self.entries):
            if entry.queue == fact.queue and entry.joined_at <= fact.at + SAME_MOMENT:
                return entry
        return None

    def view(self) -> CallView:
        """The call as others see it."""
        entry = self.entries[-1] if self.entries else None
        talking = entry is not None and entry.state is EntryState.TALKING
        return CallView(
            call_id=self.call_id,
            line=self.line,
            did=self.did,
            caller_number=self.caller_number,
            caller_name=self.caller_name,
            menu_path=self.menu_path,
            started_at=self.started_at,
            queued_at=entry.joined_at if entry else None,
            answered_at=entry.answered_at if entry and talking else None,
            agent=(entry.agent or next(iter(entry.ringing), None)) if entry else None,
            wait_seconds=entry.wait_ms / 1000 if entry and talking else None,
        )

    def record(self, node: str) -> CallRecord:
        """The row as it stands."""
        return CallRecord(
            call_id=self.call_id,
            node=node,
            line=self.line,
            did=self.did,
            caller_number=self.caller_number,
            caller_name=self.caller_name,
            started_at=self.started_at,
            ended_at=self.hungup_at,
            menu_path=MENU_SEPARATOR.join(self.menu_path),
            menu_outcome=self.menu_outcome,
            menu_ms=self.menu_ms,
            fallback_used=self.fallback_used,
        )

    @classmethod
    def restored(cls, row: CallRecord) -> LiveCall:
        """The call a row of an earlier run stands for. The caller's channel gave the call its id."""
        return cls(
            call_id=row.call_id,
            uniqueid=row.call_id,
            line=row.line,
            did=row.did,
            caller_number=row.caller_number,
            caller_name=row.caller_name,
            started_at=row.started_at,
            menu_path=tuple(part for part in row.menu_path.split(MENU_SEPARATOR) if part),
            menu_outcome=row.menu_outcome,
            menu_ms=row.menu_ms,
            fallback_used=row.fallback_used,
            hungup_at=row.ended_at,
            announced=True,
        )
