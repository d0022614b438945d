"""How the dialplan records: each party's own voice, on that party's own channel, into a file of its own.

Recording is Asterisk's: it begins in the dialplan and goes on whatever becomes of our server. Only what a
channel receives is recorded (MixMonitor's ``r``), never what is sent to it: Asterisk 22 drops what a second
agent says to a recorded caller, for minutes, whenever that phone's RTP numbers lie below the first one's (its
translator takes them for late). MixMonitor fills with silence while either side sends, so that a file keeps
time; its name says when it began. The caller's begins with the wait, an agent's with the answer: what lies
before the first answer is thrown away when the files are joined (``queue/recording/join.py``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hotline.config.schema import Line, Recorded, Site
from hotline.core.events import Side
from hotline.telephony.asterisk_config.context import at, context
from hotline.telephony.asterisk_config.text import word

FOLDER = "hotline"
"""Below Asterisk's folder for recordings; MixMonitor makes it."""

CALL = "HOTLINE_RECORDING"
"""The channel variable that holds the call's id while the call is recorded."""

ANSWERED = "hotline-recorded"
"""The subroutine that an answering party's channel runs before it is joined to the caller."""

NOTICE = "HOTLINE_NOTICE"
RAW_RATE_HZ = 8000
"""A-law, one byte a sample."""

_NAME = re.compile(r"(?P<call>[A-Za-z0-9_.:-]{1,120})-(?P<side>caller|agent)-(?P<began>[0-9]{10,16})\.alaw")
_NOW = "${STRFTIME(,,%s%3q)}"  # milliseconds since 1970


@dataclass(frozen=True, slots=True)
class RawName:
    """What the name of a raw file tells: whose voice, of which call, from when on."""

    call_id: str
    side: Side
    began_at: datetime

    @classmethod
    def parse(cls, name: str) -> RawName | None:
        """Read a file's name; None for a file that is none of ours."""
        found = _NAME.fullmatch(name)
        if found is None:
            return None
        began = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(found["began"]))
        return cls(found["call"], Side(found["side"]), began)

    def __str__(self) -> str:
        since = self.began_at - datetime.fromtimestamp(0, UTC)
        return f"{self.call_id}-{self.side}-{since // timedelta(milliseconds=1)}.alaw"


def line_policy(lines: Iterable[Line], site: Site) -> Iterator[str]:
    """Globals: how each recorded line is recorded, found by ``hotline-queue`` whoever chose the line."""
    for line in lines:
        if (recorded := site.recorded(line)) is not Recorded.OFF:
            yield f"HOTLINE_RECORD_{word(line.id, 'line')} = {recorded.value}"


def begin(site: Site) -> Iterator[str]:
    """Steps before a caller waits: record the caller's voice if the line is recorded and the law allows.

    ``__``: the channels of the agents who are called for this caller know the call's id too.
    """
    if not site.records:
        return
    policy = "${HOTLINE_RECORD_${HOTLINE_LINE}}"
    yield f'GotoIf($["${{{CALL}}}" != ""]?unrecorded)'
    yield f'GotoIf($["{policy}" = "{Recorded.ON}"]?record)'
    yield f'GotoIf($["{policy}:${{{NOTICE}}}" != "{Recorded.BY_NOTICE}:SUCCESS"]?unrecorded)'
    yield at("record", f"Set(__{CALL}=${{CHANNEL(linkedid)}})")
    yield _monitor(Side.CALLER)
    yield at("unrecorded", "NoOp()")


def answering(site: Site) -> str:
    """The option of Dial by which whoever answers is recorded."""
    return f"U({ANSWERED})" if site.records else ""


def answered_context(site: Site) -> Iterator[str]:
    """The subroutine of the answering party; it does nothing in a call that is not recorded."""
    if site.records:
        yield context(
            ANSWERED,
            "On the channel of an agent or other party who answers, before the two are joined.",
            (
                "s",
                f'GotoIf($["${{{CALL}}}" = ""]?done)',
                _monitor(Side.AGENT),
                at("done", "Return()"),
            ),
        )


def _monitor(side: Side) -> str:
    return f"MixMonitor(,r({FOLDER}/${{{CALL}}}-{side}-{_NOW}.alaw))"
