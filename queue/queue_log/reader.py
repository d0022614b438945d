"""queue_log, the exchange's durable record: one line to one fact.

A line is ``epoch|uniqueid|queue|agent|EVENT|data1|data2|…`` with whole seconds (Asterisk, main/logger.c and
apps/app_queue.c). Our dialplan adds ``HOTLINE|line|did|linkedid|path|language`` before each wait
(its earlier versions said no language), ``HOTLINEEXIT|status`` after one that no agent ended, and
``HOTLINEMOVED`` where a caller is handed on: so the file alone can rebuild the ledger. Of a callback it says
``HOTLINECALLBACK|earlier call|line|number`` when the agent has picked up, ``HOTLINEREACHED|linkedid`` when
the citizen has, and in the end ``HOTLINECALLBACKOVER|status|who hung up``. Of a survey after the talk it says
``HOTLINESURVEY|asked, in ms|the agent's phone|outcome|key`` when that is over.
"""

from __future__ import annotations

from datetime import UTC, datetime

from hotline.config.section import MAX_LANGUAGE_CHARACTERS
from hotline.core.errors import PeerError
from hotline.core.events import CallbackOutcome, Outcome
from hotline.queue.facts import (
    DIAL_STATUS,
    EXIT_STATUS,
    Abandoned,
    CallbackFact,
    CallbackOver,
    CalledBack,
    Completed,
    Connected,
    Duty,
    Joined,
    Left,
    Moved,
    Reached,
    Restarted,
    RingCanceled,
    RingEnded,
    Routed,
    Surveyed,
    surveyed,
)


class MalformedLine(PeerError):
    """A line that is not a queue_log line; ``number`` is set by whoever counts lines."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"not a queue_log line: {reason}")


LogFact = Routed | Joined | RingEnded | Connected | Completed | Abandoned | Left
"""What becomes of callers."""

NewsOfTheExchange = Moved | Restarted | Surveyed | CallbackFact
"""Facts of no queue's."""

AnyFact = LogFact | Duty | RingCanceled | NewsOfTheExchange
"""Everything that a line can tell."""


def parse_line(line: str) -> AnyFact | None:
    """The fact of one line, or None for an event that says nothing about calls or agents (CONFIGRELOAD, …).

    Raises:
        MalformedLine: too few fields, or a number that is none.
    """
    parts = line.rstrip("\r\n").split("|")
    if len(parts) < 5:
        raise MalformedLine("fewer than five fields")
    epoch, uniqueid, queue, agent, event, *data = parts
    try:
        at = datetime.fromtimestamp(float(epoch), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise MalformedLine("the time is no number") from error
    try:
        return _fact(event, at, uniqueid, queue, agent, data)
    except (IndexError, ValueError) as error:
        raise MalformedLine(f"{event} with wrong data") from error


def _fact(event: str, at: datetime, uniqueid: str, queue: str, agent: str, data: list[str]) -> AnyFact | None:
    match event:
        case "HOTLINE":
            language = data[4][:MAX_LANGUAGE_CHARACTERS] if len(data) > 4 else ""
            return Routed(uniqueid, at, data[2] or uniqueid, data[0], data[1], queue, data[3], language)
        case "HOTLINEEXIT":
            outcome = EXIT_STATUS.get(data[0])
            return Left(uniqueid, at, queue, outcome) if outcome else None
        case "ENTERQUEUE":
            position = int(data[2]) if len(data) > 2 and data[2] else 0
            return Joined(uniqueid, at, queue, position, data[1] if data[1] != "unknown" else "")
        case "CONNECT":
            ring_ms = int(data[2]) * 1000 if len(data) > 2 and data[2] else 0
            agent_uniqueid = data[1] if len(data) > 1 else ""  # Asterisk 1.2 does not say
            return Connected(uniqueid, at, queue, agent, agent_uniqueid, int(data[0]) * 1000, ring_ms)
        case "RINGNOANSWER":
            return RingEnded(uniqueid, at, queue, agent, int(data[0]), at)  # the one event in milliseconds
        case "RINGCANCELED":
            return RingCanceled(uniqueid, at, queue, agent, int(data[0]))
        case "COMPLETEAGENT" | "COMPLETECALLER":
            ended_by = "agent" if event == "COMPLETEAGENT" else "caller"
            return Completed(uniqueid, at, queue, agent, int(data[1]) * 1000, ended_by)
        case "BLINDTRANSFER" | "ATTENDEDTRANSFER":
            return Completed(uniqueid, at, queue, agent, int(data[-2]) * 1000, "transfer")
        case "TRANSFER":  # as Asterisk up to 11 says it, up to 1.4 without the position at the end
            return Completed(uniqueid, at, queue, agent, int(data[3]) * 1000, "transfer")
        case "ABANDON":
            return Abandoned(uniqueid, at, queue, int(data[2]) * 1000)
        case "EXITWITHTIMEOUT":
            return Left(uniqueid, at, queue, Outcome.TIMEOUT)
        case "EXITEMPTY":
            return Left(uniqueid, at, queue, Outcome.EMPTY)
        case "EXITWITHKEY":
            return Left(uniqueid, at, queue, Outcome.KEY_EXIT)
        case "ADDMEMBER":
            return Duty(at, queue, agent, serves=True, paused_reason="" if "PAUSED" in data else None)
        case "PAUSE":
            return Duty(at, queue, agent, serves=True, paused_reason=data[0] if data else "")
        case "UNPAUSE":
            return Duty(at, queue, agent, serves=True, paused_reason=None)
        case "REMOVEMEMBER":
            return Duty(at, queue, agent, serves=False, paused_reason=None)
        case "HOTLINEMOVED":
            return Moved(uniqueid, at)
        case "HOTLINECALLBACK":
            return CalledBack(uniqueid, at, data[0], agent, data[1], data[2])
        case "HOTLINEREACHED":
            return Reached(uniqueid, at, data[0])
        case "HOTLINECALLBACKOVER":
            outcome_of = DIAL_STATUS.get(data[0], CallbackOutcome.FAILED)
            return CallbackOver(uniqueid, at, outcome_of, data[1])
        case "HOTLINESURVEY":
            return surveyed(uniqueid, at, data[0], data[1], data[2], data[3])
        case "QUEUESTART":  # written once by each start of Asterisk, never by a reload
            return Restarted(at)
        case _:
            return None
