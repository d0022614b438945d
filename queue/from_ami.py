"""Live AMI events to facts."""

from __future__ import annotations

from hotline.queue.facts import (
    EXIT_STATUS,
    Abandoned,
    Announced,
    Completed,
    Connected,
    Fact,
    FellBack,
    HungUp,
    Joined,
    Left,
    Rang,
    RingEnded,
    Routed,
)
from hotline.telephony.ami import events as ami


def fact_of(event: ami.AmiEvent) -> Fact | None:
    """What an event tells the call table, or None if it says nothing about a call.

    QueueCallerLeave is not used: it follows an answer, an abandon and a time-out alike; the dialplan's own
    HotlineExit says which.
    """
    match event:
        case ami.UserEvent():
            return _ours(event)
        case ami.QueueCallerJoin():
            return Joined(event.uniqueid, event.at, event.queue, event.position, event.caller_number)
        case ami.QueueCallerAbandon():
            return Abandoned(event.uniqueid, event.at, event.queue, event.hold_seconds * 1000)
        case ami.AgentCalled():
            return Rang(event.uniqueid, event.at, event.queue, event.member_name)
        case ami.AgentRingNoAnswer():
            return RingEnded(
                event.uniqueid, event.at, event.queue, event.member_name, event.ring_milliseconds
            )
        case ami.AgentConnect():
            return Connected(
                event.uniqueid,
                event.at,
                event.queue,
                event.member_name,
                event.agent_uniqueid,
                event.hold_seconds * 1000,
                event.ring_milliseconds,
            )
        case ami.AgentComplete():
            # a party that hung up at once may already be missing from the event: the call table then looks
            # for the agent's talk itself
            return Completed(
                event.uniqueid or event.linkedid,
                event.at,
                event.queue,
                event.member_name,
                event.talk_seconds * 1000,
                event.reason.value,
            )
        case ami.Hangup():
            return HungUp(event.uniqueid, event.at)
        case _:
            return None


def _ours(event: ami.UserEvent) -> Fact | None:
    """The dialplan's own events."""
    fields = event.fields
    line = fields.get("Line", "")
    match event.name:
        case "HotlineCall":
            return Announced(
                event.uniqueid,
                event.at,
                event.linkedid,
                line,
                fields.get("Did", ""),
                event.caller_number,
                event.caller_name,
            )
        case "HotlineQueue":
            return Routed(
                event.uniqueid,
                event.at,
                event.linkedid,
                line,
                fields.get("Did", ""),
                fields.get("Queue", ""),
                fields.get("Path", ""),
            )
        case "HotlineFallback":
            return FellBack(event.uniqueid, event.at, event.linkedid, line)
        case "HotlineExit":
            outcome = EXIT_STATUS.get(fields.get("Status", ""))
            return Left(event.uniqueid, event.at, fields.get("Queue", ""), outcome) if outcome else None
        case _:
            return None
