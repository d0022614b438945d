"""What a supervisor must be told of: one frozen picture of an alert, and the closed list of their kinds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AlertKind(StrEnum):
    """What is wrong. In brackets: what ``Alert.subject`` names."""

    WAITING = "waiting"  # too many callers wait (queue)
    LONGEST_WAIT = "longest_wait"  # somebody waits too long (queue)
    UNSTAFFED = "unstaffed"  # callers wait and nobody is signed in, or all are on a break (queue)
    ANSWER_RATE = "answer_rate"  # under the norm of late (line, or "total")
    WRAP_UP = "wrap_up"  # an agent has been in wrap-up too long (agent)
    NO_ANSWER = "no_answer"  # an agent was paused because the phone rang in vain (agent)
    ABUSIVE = "abusive"  # an agent is being abused by a caller (call id)
    URGENT_WORDS = "urgent_words"  # a caller tells of danger (call id)
    ABUSIVE_WORDS = "abusive_words"  # a caller's words are abusive (call id)
    LINK = "link"  # Asterisk's manager is gone ("asterisk")
    RECOGNISER = "recogniser"  # recognition is down, or calls go unheard for want of places ("asr")
    RECORDING = "recording"  # recordings fail ("recordings")
    DISK = "disk"  # data_dir's disk is nearly full ("data_dir")


class Severity(StrEnum):
    """How soon somebody must act."""

    WARNING = "warning"  # in this hour
    CRITICAL = "critical"  # now


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that is wrong now and that somebody can do something about.

    Attributes:
        alert_id: of this one raising, kept over a restart; the same subject raised again bears another.
        subject: see ``AlertKind``; never a caller's number.
        since: when it was raised.
        value: as measured last, in the unit of ``limit`` (callers, seconds, 0..1); None where nothing is.
        limit: the site's threshold; None where there is none.
        text: what happened and what to do, zh-CN.
        text_en: the same in English.
    """

    alert_id: str
    kind: AlertKind
    subject: str
    severity: Severity
    since: datetime
    value: float | None
    limit: float | None
    text: str
    text_en: str
