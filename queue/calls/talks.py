"""Who spoke with the caller, from when to when, also after the agent whom the queue found has gone.

One row a connection. The talk that a queue made begins and ends with its queue entry; every other one follows
from who is in a bridge with whom:

    queue      the agent whom the queue found
    transfer   whoever the caller was handed on to
    consult    whoever an agent asked while the caller waited on hold; the caller was not in it
    three_way  whoever joined a talk that went on
    callback   the agent who called the citizen back: the call is named after the agent's channel

The caller is on hold while the party has pressed hold, or is not in the caller's bridge although the talk has
not ended (it consults, or keys a number). ``talk_ms`` is the whole length, of which ``hold_ms`` was hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from hotline.core.events import Source, TalkEnded, TalkKind
from hotline.queue.calls.connections import Connections, Leg
from hotline.queue.calls.entry import SAME_MOMENT, Entry, span_ms
from hotline.store.ledger import TalkRecord


@dataclass(slots=True)
class Talk:
    """One connection. ``leg``: the party's channel as far as it is known."""

    talk_id: str
    kind: TalkKind
    call_id: str
    entry_id: str | None
    agent: str | None
    party: str
    leg: str
    source: Source
    answered_at: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None
    hold_ms: int = 0
    held_since: datetime | None = None
    held_before: bool = False  # a restart: held when last heard of, and nobody has said since that it is over
    told_start: bool = False
    told_end: bool = False

    @property
    def with_caller(self) -> bool:
        """Goes on, and is the caller's (not an agent's consult)."""
        return self.ended_at is None and self.kind is not TalkKind.CONSULT

    def over_by_queue_log(self, at: datetime) -> bool:
        """Whether queue_log told that it ended, at that moment or after it."""
        told = self.ended_at is not None and self.source is Source.QUEUE_LOG
        return told and self.ended_at is not None and at <= self.ended_at + SAME_MOMENT

    def hold(self, held: bool, at: datetime) -> None:
        """The caller is on hold, or is not."""
        if held and self.held_since is None:
            self.held_since = at
        elif not held and self.held_since is not None:
            self.hold_ms += span_ms(self.held_since, at)
            self.held_since = None

    def end(self, at: datetime, ended_by: str) -> None:
        """Close the row; never before it began, whatever the order in which things were told."""
        at = max(at, self.answered_at)
        self.hold(False, at)
        self.hold_ms = min(self.hold_ms, span_ms(self.answered_at, at))
        self.ended_at, self.ended_by = at, ended_by

    def as_ended(self) -> TalkEnded:
        """The event of its end; only once it has one."""
        assert self.ended_at is not None  # noqa: S101 - it has ended
        return TalkEnded(
            call_id=self.call_id,
            at=self.ended_at,
            talk_id=self.talk_id,
            kind=self.kind,
            agent=self.agent,
            party=self.party,
            talk_seconds=span_ms(self.answered_at, self.ended_at) / 1000,
            hold_seconds=self.hold_ms / 1000,
            ended_by=self.ended_by or "unknown",
        )

    def record(self, node: str) -> TalkRecord:
        """The row as it stands."""
        return TalkRecord(
            talk_id=self.talk_id,
            node=node,
            call_id=self.call_id,
            entry_id=self.entry_id,
            kind=self.kind.value,
            agent=self.agent,
            party=self.party,
            source=self.source.value,
            answered_at=self.answered_at,
            ended_at=self.ended_at,
            talk_ms=span_ms(self.answered_at, self.ended_at) if self.ended_at else 0,
            hold_ms=self.hold_ms,
            ended_by=self.ended_by,
            held_since=self.held_since,
        )


@dataclass(slots=True)
class CallTalks:
    """The talks of one call.

    Args:
        call_id: the call.
        caller: the caller's channel.
        connections: who is in a bridge with whom now.
        agent_of: the agent at a channel (by its name), None if it is no agent's phone.
        extension_of: an agent's extension, the agent's id where the site has none.
    """

    call_id: str
    caller: str
    connections: Connections
    agent_of: Callable[[str], str | None]
    extension_of: Callable[[str], str]
    rows: list[Talk] = field(default_factory=list)
    _changed: dict[str, Talk] = field(default_factory=dict)

    @classmethod
    def untold(cls) -> CallTalks:
        """Of a call of the past, of which only its waits are known."""
        return cls("", "", Connections(), lambda channel: None, lambda agent: agent)

    def answered(self, entry: Entry, source: Source) -> None:
        """The queue found an agent: for the caller, or for an agent who consults the queue."""
        assert entry.agent is not None and entry.answered_at is not None  # noqa: S101 - it is answered
        asked = any(
            talk.with_caller for talk in self.rows
        )  # an agent asks for the caller, or has left already
        other = TalkKind.CONSULT if asked else TalkKind.TRANSFER
        kind = TalkKind.QUEUE if entry.uniqueid == self.caller else other
        leg = entry.agent_uniqueid or entry.entry_id
        if any(talk.leg == leg and talk.entry_id == entry.entry_id for talk in self.rows):
            return
        self._begin(leg, kind, entry.agent, self.extension_of(entry.agent), entry.answered_at, source, entry)

    def completed(self, entry: Entry, source: Source) -> int:
        """The queue's talk is over; how long the caller was on hold in it, in milliseconds."""
        assert entry.closed_at is not None  # noqa: S101 - it is completed
        held_ms = 0
        for talk in self.rows:
            if talk.entry_id == entry.entry_id:
                if talk.ended_at is None:
                    self._end(talk, entry.closed_at, entry.ended_by or "unknown")
                    talk.source = talk.source if source is Source.LIVE else source
                held_ms += talk.hold_ms
        if entry.ended_by == "transfer" and source is not Source.LIVE:
            self._put_through(entry.closed_at)
        return held_ms

    def renamed_end(self, entry: Entry) -> None:
        """Another reason than was told first ended the queue's talk."""
        for talk in self.rows:
            if talk.entry_id == entry.entry_id and talk.ended_at == entry.closed_at:
                talk.ended_by = entry.ended_by
                self._changed[talk.talk_id] = talk

    def look(self, at: datetime, entries: list[Entry]) -> None:
        """Something changed in the bridges: begin, hold and name the talks accordingly."""
        present = self.connections.heard_by(self.caller)
        for via, party in present:
            self._present(via, party, at, entries)
        here = {party.uniqueid for _, party in present}
        talks = [talk for talk in self.rows if talk.with_caller]
        caller = self.connections.leg(self.caller)
        for talk in talks:
            leg = self.connections.leg(talk.leg)
            if leg is not None:
                kept = caller is not None and caller.kept
                self._mark(talk, talk.leg not in here or leg.on_hold or kept or talk.held_before, at)
        together = [talk for talk in talks if talk.leg in here]
        for joined in together[1:]:
            if joined.kind is TalkKind.TRANSFER:
                joined.kind = TalkKind.THREE_WAY
                self._changed[joined.talk_id] = joined
        for talk in talks:
            if talk.leg not in here:
                for _, party in self.connections.heard_by(talk.leg):
                    self._consulted(party, at, entries)

    def unheld(self) -> None:
        """Somebody on the call took somebody off hold."""
        for talk in self.rows:
            talk.held_before = False

    def gone(self, leg: Leg, at: datetime) -> None:
        """A party's channel is about to be forgotten, or the caller's: what no queue entry ends, ends now."""
        for talk in self.rows:
            ends = talk.leg == leg.uniqueid or leg.uniqueid == self.caller
            if talk.ended_at is None and ends and talk.kind is not TalkKind.QUEUE:
                self._part(talk, at)

    def _part(self, talk: Talk, at: datetime) -> None:
        """Whoever left the bridge first ended it, or the party by a transfer."""
        party, caller = self.connections.leg(talk.leg), self.connections.leg(self.caller)
        party_left = party.left_at if party else None
        caller_left = caller.left_at if caller else None
        by_caller = caller_left is not None and (party_left is None or caller_left < party_left)
        ended_by = "caller" if by_caller else "agent" if talk.agent else "party"
        ended_at = party_left or caller_left or at
        if party is not None and party.left_by_transfer(ended_at):
            ended_by = "transfer"
        self._end(talk, ended_at, ended_by)

    def reached(self, agent: str, at: datetime, source: Source) -> None:
        """The citizen whom ``agent`` called has answered while nobody of us listened."""
        if all(talk.kind is not TalkKind.CALLBACK for talk in self.rows):
            self._begin(self.call_id, TalkKind.CALLBACK, agent, self.extension_of(agent), at, source, None)

    def callback_over(self, at: datetime, ended_by: str, source: Source) -> None:
        """The agent who called has hung up while nobody of us listened."""
        for talk in self.rows:
            if talk.kind is TalkKind.CALLBACK and talk.ended_at is None:
                self._end(talk, at, ended_by)
                talk.source = source

    def end_all(self, at: datetime) -> None:
        """Nothing of the call is left, and nobody told how it ended."""
        for talk in self.rows:
            if talk.ended_at is None:
                self._end(talk, at, "unknown")

    def take_changed(self) -> list[Talk]:
        """The rows that changed since this was asked last."""
        changed, self._changed = list(self._changed.values()), {}
        return changed

    def restore(self, row: TalkRecord, entries: list[Entry]) -> None:
        """Go on with a row of an earlier run."""
        leg = row.talk_id.rpartition(":")[0]
        kind, source = TalkKind(row.kind), Source(row.source)
        talk = Talk(
            row.talk_id, kind, row.call_id, row.entry_id, row.agent, row.party, leg, source, row.answered_at,
            row.ended_at, row.ended_by, row.hold_ms, row.held_since, row.held_since is not None,
            told_start=True, told_end=row.ended_at is not None,
        )  # fmt: skip
        self.rows.append(talk)
        if kind is TalkKind.CONSULT and talk.ended_at is None:
            self.unheld()  # that is why they were held: seen again in who is with whom
        for entry in entries:
            if entry.entry_id == row.entry_id and kind is not TalkKind.TRANSFER and leg != entry.entry_id:
                entry.agent_uniqueid = entry.agent_uniqueid or leg

    def agent_now(self) -> str | None:
        """The agent who has the caller now; the newest if there are several."""
        return next((talk.agent for talk in reversed(self.rows) if talk.with_caller and talk.agent), None)

    def _present(self, via: Leg, party: Leg, at: datetime, entries: list[Entry]) -> None:
        legs = (via.uniqueid, party.uniqueid)
        if any(one.leg in legs and one.over_by_queue_log(at) for one in self.rows):
            return  # the exchange was asked before queue_log told of the end: they part in this moment
        talk = next((one for one in self.rows if one.ended_at is None and one.leg in legs), None)
        if talk is not None and talk.kind is not TalkKind.CONSULT:
            talk.leg = party.uniqueid  # a Local pair at the agent's end has been taken out, or seen through
            return
        if talk is not None:
            self._end(talk, at, "transfer")
        elif party.since is not None and party.since < at and all(one.leg not in legs for one in self.rows):
            # a phone called them by a second call of its own, which nothing tied to this one until now
            self._meet(party, TalkKind.CONSULT, party.since, entries, legs)
            self._end(self.rows[-1], at, "transfer")
        kind = TalkKind.CALLBACK if party.uniqueid == self.call_id else TalkKind.TRANSFER
        self._meet(party, kind, at, entries, legs)

    def _consulted(self, party: Leg, at: datetime, entries: list[Entry]) -> None:
        busy = any(one.ended_at is None and one.leg == party.uniqueid for one in self.rows)
        if not busy and party.uniqueid != self.caller:
            self._meet(party, TalkKind.CONSULT, at, entries, (party.uniqueid,))

    def _meet(
        self, party: Leg, kind: TalkKind, at: datetime, entries: list[Entry], legs: tuple[str, ...]
    ) -> None:
        agent = self.agent_of(party.channel)
        entry = next((one for one in entries if one.agent_uniqueid in legs), None)
        number = self.extension_of(agent) if agent else party.number
        self._begin(party.uniqueid, kind, agent, number, at, Source.LIVE, entry)

    def _put_through(self, at: datetime) -> None:
        """queue_log says that the agent who consulted has joined the two: the consult became a transfer."""
        for talk in [one for one in self.rows if one.ended_at is None and one.kind is TalkKind.CONSULT]:
            self._end(talk, at, "transfer")
            begun = self._begin(
                talk.leg, TalkKind.TRANSFER, talk.agent, talk.party, at, Source.QUEUE_LOG, None
            )
            begun.entry_id = talk.entry_id

    def _begin(
        self,
        leg: str,
        kind: TalkKind,
        agent: str | None,
        party: str,
        at: datetime,
        source: Source,
        entry: Entry | None,
    ) -> Talk:
        number = 1 + sum(talk.talk_id.rpartition(":")[0] == leg for talk in self.rows)
        entry_id = entry.entry_id if entry else None
        talk = Talk(f"{leg}:{number}", kind, self.call_id, entry_id, agent, party, leg, source, at)
        self.rows.append(talk)
        self._changed[talk.talk_id] = talk
        return talk

    def _mark(self, talk: Talk, held: bool, at: datetime) -> None:
        if held != (talk.held_since is not None):
            talk.hold(held, at)
            self._changed[talk.talk_id] = talk

    def _end(self, talk: Talk, at: datetime, ended_by: str) -> None:
        talk.end(at, ended_by)
        self._changed[talk.talk_id] = talk
