"""The calls that the table knows, and what others ask of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from hotline.core.events import CallbackOutcome
from hotline.core.views import CallView, WaitingCaller
from hotline.queue.calls.entry import SAME_MOMENT, Entry, EntryState
from hotline.queue.calls.live_call import LiveCall
from hotline.queue.routing import Routing


class CallIndex:
    """Calls by their id and by their channels; reading only."""

    def __init__(self, routing: Routing) -> None:
        self._routing = routing
        self._calls: dict[str, LiveCall] = {}
        self._by_channel: dict[str, LiveCall] = {}  # callers' channels, and those of agents who ask a queue

    def live_calls(self) -> tuple[CallView, ...]:
        """Calls whose caller is still there."""
        return tuple(call.view() for call in self._calls.values() if call.hungup_at is None)

    def call_of_channel(self, uniqueid: str) -> str | None:
        """The call that a caller's channel belongs to."""
        call = self._by_channel.get(uniqueid)
        return call.call_id if call else None

    def named_by(self, uniqueid: str) -> str:
        """The call's id for the channel of its caller, also a citizen called back; else the channel's own."""
        call = self._by_channel.get(uniqueid)
        return call.call_id if call and call.uniqueid == uniqueid else uniqueid

    def queue_of(self, call_id: str) -> str:
        """The queue whose rules hold for who talks on a call: the one it waited in last.

        For a citizen called back (and reached) it is the line's. Empty when it is no caller's call.
        """
        call = self._calls.get(call_id)
        if call is None:
            return ""
        if call.callback is not None and call.callback.outcome is CallbackOutcome.ANSWERED:
            return self._routing.queues.get(call.line, "")
        return call.entries[-1].queue if call.entries else ""

    def knows_wait(self, uniqueid: str, queue: str, since: datetime) -> bool:
        """Whether the caller is known to wait in ``queue``, or to have begun to at about ``since``.

        Who was in the exchange's list a moment ago may have been answered, and that be known, by now.
        """
        call = self._by_channel.get(uniqueid)
        return any(
            entry.state in (EntryState.WAITING, EntryState.RINGING)
            or (abs(entry.joined_at - since) <= SAME_MOMENT and not entry.is_closed_before(since))
            for entry in (call.visits(uniqueid, queue) if call else ())
        )

    def talking(self) -> dict[str, str]:
        """Agent to call id, of the calls being talked on."""
        return {
            entry.agent: call.call_id
            for call, entry in self._open()
            if entry.state is EntryState.TALKING and entry.agent
        }

    def waiting(self) -> tuple[WaitingCaller, ...]:
        """Callers in a queue now, the longest wait first."""
        rows = [
            WaitingCaller(
                call.call_id, entry.entry_id, entry.line, entry.queue, entry.joined_at, entry.position
            )
            for call, entry in self._open()
            if entry.state in (EntryState.WAITING, EntryState.RINGING)
        ]
        return tuple(sorted(rows, key=lambda row: row.since))

    def _open(self) -> Iterator[tuple[LiveCall, Entry]]:
        """Every wait and talk of the calls that are alive."""
        for call in self._calls.values():
            if call.hungup_at is None:
                yield from ((call, entry) for entry in call.open_entries())
