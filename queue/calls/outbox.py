"""What comes of a fact."""

from __future__ import annotations

from dataclasses import dataclass, field

from hotline.core.events import CallEvent
from hotline.store.ledger import CallRecord, EntryRecord, RowMoment, SurveyRecord, TalkRecord


@dataclass(slots=True)
class Outbox:
    """What came of a fact: events in order, the rows that changed, and what became known of which entry."""

    events: list[CallEvent] = field(default_factory=list)
    calls: dict[str, CallRecord] = field(default_factory=dict)
    entries: dict[str, EntryRecord] = field(default_factory=dict)
    talks: dict[str, TalkRecord] = field(default_factory=dict)
    surveys: dict[str, SurveyRecord] = field(default_factory=dict)
    moments: list[tuple[RowMoment, str]] = field(default_factory=list)  # with the entry's id
