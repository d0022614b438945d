"""Live AMI events to facts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hotline.config.section import MAX_LANGUAGE_CHARACTERS
from hotline.core.events import CallbackOutcome, Outcome
from hotline.queue.facts import (
    DIAL_STATUS,
    EXIT_STATUS,
    Abandoned,
    Announced,
    Asked,
    Bridged,
    CallbackOver,
    CalledBack,
    Completed,
    Connected,
    Fact,
    FellBack,
    HandedOn,
    Held,
    HungUp,
    Joined,
    Left,
    Moved,
    Rang,
    Reached,
    RingEnded,
    Routed,
    Unbridged,
    Unheld,
    surveyed,
)
from hotline.telephony.ami import events as ami


class Withdrawals:
    """Keeps "abandoned" back for the moment until it is clear whether it was.

    app_queue reports a caller as abandoned who was withdrawn, whose longest wait is over or who was
    redirected elsewhere, and the dialplan at once that the queue let them go or that they go on; whoever
    really gave up hangs up. So the next word about the caller's channel decides.
    At most one fact a caller is kept back.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Abandoned] = {}

    def facts(self, event: ami.AmiEvent) -> list[Fact]:
        """What an event tells, with what was kept back for it."""
        facts: list[Fact] = []
        for fact in facts_of(event):
            match fact:
                case Abandoned():
                    self._kept[fact.uniqueid] = fact
                    continue
                case Left():
                    self._kept.pop(fact.uniqueid, None)
                case Moved() | Routed() if kept := self._kept.pop(fact.uniqueid, None):
                    facts.append(Left(kept.uniqueid, kept.at, kept.queue, Outcome.TRANSFERRED))
                case HungUp() if kept := self._kept.pop(fact.uniqueid, None):
                    facts.append(kept)
            facts.append(fact)
        return facts

    def forget(self) -> None:
        """The link broke: what follows is learnt by comparing with the exchange."""
        self._kept.clear()


def facts_of(event: ami.AmiEvent) -> tuple[Fact, ...]:
    """What an event tells the call table: nothing, if it is not about a call.

    QueueCallerLeave is not used: it follows an answer, an abandon and a time-out alike; the dialplan's own
    HotlineExit says which.
    """
    if isinstance(event, ami.AttendedTransfer):
        return tuple(HandedOn(uniqueid, event.at) for uniqueid in event.transferer_uniqueids)
    fact = _fact_of(event)
    return () if fact is None else (fact,)


def _fact_of(event: ami.AmiEvent) -> Fact | None:
    match event:
        case ami.UserEvent():
            return _ours(event)
        case ami.QueueCallerJoin():
            return Joined(event.uniqueid, event.at, event.queue, event.position, event.caller_number)
        case ami.QueueCallerAbandon():
            return Abandoned(event.uniqueid, event.at, event.queue, event.hold_seconds * 1000)
        case ami.AgentCalled():
            return Rang(event.uniqueid, event.at, event.queue, event.member_name, _called_at(event, event.at))
        case ami.AgentRingNoAnswer():
            return _ring_ended(event)
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
        case ami.BridgeEnter():
            return Bridged(
                event.uniqueid, event.at, event.linkedid, event.channel, event.caller_number, event.bridge_id
            )
        case ami.BridgeLeave():
            return Unbridged(event.uniqueid, event.at, event.bridge_id)
        case ami.Hold():
            return Held(event.uniqueid, event.at)
        case ami.Unhold():
            return Unheld(event.uniqueid, event.at)
        case ami.BlindTransfer():
            return HandedOn(event.transferer_uniqueid, event.at)
        case _:
            return None


def _ring_ended(event: ami.AgentRingNoAnswer) -> RingEnded:
    """An event may be late: the phone rang so long, and was called in a second that is known."""
    rang = timedelta(milliseconds=event.ring_milliseconds)
    called_at = _called_at(event, event.at - rang)
    ended_at = min(event.at, called_at + rang + timedelta(seconds=1))
    ring_ms = event.ring_milliseconds
    return RingEnded(event.uniqueid, ended_at, event.queue, event.member_name, ring_ms, called_at)


def _called_at(event: ami.AgentCalled | ami.AgentRingNoAnswer, else_at: datetime) -> datetime:
    """When the exchange called the agent's phone: it names that channel ``[node-]seconds.number``."""
    seconds = event.agent_uniqueid.rpartition("-")[2].partition(".")[0]
    return datetime.fromtimestamp(int(seconds), UTC) if seconds.isdecimal() else else_at


def _ours(event: ami.UserEvent) -> Fact | None:
    """The dialplan's own events."""
    fields = event.fields
    line = fields.get("Line", "")
    language = fields.get("Spoken", "")[:MAX_LANGUAGE_CHARACTERS]
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
                language,
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
                language,
            )
        case "HotlineMoved":
            return Moved(event.uniqueid, event.at)
        case "HotlineFallback":
            return FellBack(event.uniqueid, event.at, event.linkedid, line)
        case "HotlineHold":
            return Held(event.uniqueid, event.at, by_exchange=True)
        case "HotlineUnhold":
            return Unheld(event.uniqueid, event.at, by_exchange=True)
        case "HotlineCallback":
            agent, number = fields.get("Agent", ""), event.exten
            return CalledBack(event.linkedid, event.at, fields.get("CallId", ""), agent, line, number)
        case "HotlineReached":
            return Reached(event.uniqueid, event.at, event.linkedid)
        case "HotlineCallbackOver":
            outcome_of = DIAL_STATUS.get(fields.get("Status", ""), CallbackOutcome.FAILED)
            return CallbackOver(event.linkedid, event.at, outcome_of, fields.get("By", ""))
        case "HotlineAsked":
            return Asked(event.uniqueid, event.at)
        case "HotlineSurvey":
            told = (fields.get(name, "") for name in ("Asked", "Phone", "Outcome", "Key"))
            try:
                return surveyed(event.uniqueid, event.at, *told)
            except ValueError:
                return None  # queue_log has it too
        case "HotlineExit":
            outcome = EXIT_STATUS.get(fields.get("Status", ""))
            return Left(event.uniqueid, event.at, fields.get("Queue", ""), outcome) if outcome else None
        case _:
            return None
