"""The call table's part that follows who is joined with whom: from facts about bridges to talks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hotline.core.events import CallbackOutcome, Source, TalkKind, TalkStarted
from hotline.queue.calls.connections import LOCAL, Connections, Leg
from hotline.queue.calls.entry import Entry
from hotline.queue.calls.index import CallIndex
from hotline.queue.calls.live_call import LiveCall
from hotline.queue.calls.outbox import Outbox
from hotline.queue.calls.talks import CallTalks
from hotline.queue.facts import Bridged, Completed, HandedOn, Held, HungUp, JoiningFact, Unbridged, Unheld
from hotline.queue.routing import Routing
from hotline.store.ledger import RowMoment


class Joinings(CallIndex):
    """Connections of all channels, and what their changes mean for the calls' talks."""

    def __init__(self, node: str, routing: Routing) -> None:
        super().__init__(routing)
        self.node = node
        self._connections = Connections()
        self._out = Outbox()

    def _join_or_part(self, fact: JoiningFact) -> None:
        """Channels were joined, parted, held or handed on: see whose talks it changes."""
        match fact:
            case Bridged():
                self._is_citizen(fact)
                leg = self._connections.enter(fact)
            case Unbridged():
                left = self._connections.leave(fact)
                if left is None:
                    return
                leg = left
            case _:
                known = self._connections.leg(fact.uniqueid)
                if known is None:
                    return
                leg = known
                if isinstance(fact, HandedOn):
                    leg.handed_on_at = fact.at
                elif fact.by_exchange:
                    leg.kept = isinstance(fact, Held)
                else:
                    leg.on_hold = isinstance(fact, Held)
        for call in self._calls_with(leg.uniqueid, leg.call_id):
            for entry in call.open_entries():
                if entry.agent_uniqueid == leg.uniqueid:
                    caller = self._connections.leg(entry.uniqueid)
                    there = caller is not None and self._connections.is_somebody_at(caller)
                    entry.agent_left_first = there and not leg.bridge
            if isinstance(fact, HandedOn):
                self._was_transfer(call, leg)
                self._put_through(call.open_entries())
            elif isinstance(fact, Unheld):
                call.talks.unheld()
            call.talks.look(fact.at, call.entries)
            self._tell_talks(call)

    def _is_citizen(self, fact: Bridged) -> None:
        """The first channel in a bridge of a callback that is no agent's phone is the citizen's."""
        call = self._calls.get(fact.call_id)
        waits = call is not None and call.callback is not None and call.uniqueid == call.call_id
        if (
            call is None
            or not waits
            or fact.channel.startswith(LOCAL)
            or self._routing.agent_at(fact.channel)
        ):
            return
        call.is_caller(fact.uniqueid)
        self._by_channel[fact.uniqueid] = call

    def _was_transfer(self, call: LiveCall, leg: Leg) -> None:
        """Correct a talk of which app_queue said that the agent hung up: it hears of transfers late."""
        for entry in call.entries:
            ended_at = entry.closed_at if entry.agent_uniqueid == leg.uniqueid else None
            if ended_at and entry.ended_by == "agent" and leg.left_by_transfer(ended_at):
                entry.ended_by = "transfer"
                call.talks.renamed_end(entry)
                self._save_entry(entry)

    def _calls_with(self, uniqueid: str, call_id: str) -> list[LiveCall]:
        """The calls a channel has to do with: its own, and those of whom it talks with."""
        callers = {uniqueid, *(party.uniqueid for _, party in self._connections.heard_by(uniqueid))}
        found = {call_id: self._calls.get(call_id)}
        for caller in callers:
            if (call := self._by_channel.get(caller)) is not None:
                found[call.call_id] = call
        return [call for call in found.values() if call is not None]

    def _leg_gone(self, fact: HungUp) -> None:
        """A channel has ended: with it what nobody else ends."""
        leg = self._connections.leg(fact.uniqueid)
        if leg is None:
            return
        for call in self._calls_with(leg.uniqueid, leg.call_id):
            call.talks.gone(leg, fact.at)
            self._tell_talks(call)
        self._connections.forget(fact.uniqueid)

    def _by_whom(self, fact: Completed, call: LiveCall | None) -> Completed:
        """The end of a talk, by who really ended it.

        app_queue says ``agent`` where it hears of the agent's hang-up before it hears of the transfer, and
        ``caller`` where the agent hung up from the page and so left the bridge first.
        """
        entry = call.entry_of(fact, Source.LIVE) if call else None
        leg = self._connections.leg(entry.agent_uniqueid) if entry else None
        if leg is not None and leg.left_by_transfer(fact.at):
            return replace(fact, ended_by="transfer")
        left_first = entry is not None and entry.agent_left_first
        return replace(fact, ended_by="agent") if left_first and fact.ended_by == "caller" else fact

    def _tell_talks(self, call: LiveCall) -> None:
        """The talks that changed: their rows, and an event when one began or ended."""
        for talk in call.talks.take_changed():
            self._out.talks[talk.talk_id] = talk.record(self.node)
            if talk.kind is not TalkKind.CONSULT:
                self._put_through(one for one in call.entries if one.entry_id == talk.entry_id)
            if not talk.told_start:
                talk.told_start = True
                if talk.kind is TalkKind.CALLBACK and call.callback is not None:
                    call.callback.outcome = CallbackOutcome.ANSWERED
                    self._save_call(call)
                started = TalkStarted(
                    call.call_id, talk.answered_at, talk.talk_id, talk.kind, talk.agent, talk.party
                )
                self._out.events.append(started)
            if talk.ended_at is not None and not talk.told_end:
                talk.told_end = True
                self._out.events.append(talk.as_ended())

    def _put_through(self, entries: Iterable[Entry]) -> None:
        """Where an agent had asked a queue it is the caller now who waits or talks: that counts."""
        for entry in entries:
            if entry.enquiry:
                entry.enquiry = False
                self._save_entry(entry)
                for moment in entry.moments():
                    self._note(moment, entry)

    def _talks_of(self, call_id: str, caller: str) -> CallTalks:
        return CallTalks(
            call_id,
            caller,
            self._connections,
            self._routing.agent_at,
            lambda agent: self._routing.extensions.get(agent, agent),
        )

    def _note(self, moment: RowMoment, entry: Entry) -> None:
        """Something became known of a row; an agent's enquiry is no caller's and is not told of."""
        if not entry.enquiry:
            self._out.moments.append((moment, entry.entry_id))

    def _save_entry(self, entry: Entry) -> None:
        self._out.entries[entry.entry_id] = entry.record()

    def _save_call(self, call: LiveCall) -> None:
        if not call.caller_lists and call.hungup_at is None:
            call.caller_lists = self._routing.caller_lists.of(call.caller_number)
        self._out.calls[call.call_id] = call.record(self.node)
