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
from hotline.telephony.asterisk_config.prompts import sound
from hotline.telephony.asterisk_config.text import word

FOLDER = "hotline"
"""Below Asterisk's folder for recordings; MixMonitor makes it."""

CALL = "HOTLINE_RECORDING"
"""The channel variable that holds the call's id while the call is recorded."""

ANSWERED = "hotline-recorded"
"""The subroutine that an answering party's channel runs before it is joined to the caller."""

NOTICE = "HOTLINE_NOTICE"
_POLICY = "${HOTLINE_RECORD_${HOTLINE_LINE}}"

ASKED = "hotline-asked"
"""The subroutine of whoever dials somebody; see ``asked_context``."""

PHONE = "HOTLINE_PHONE"
"""On every channel of an agent's phone: its extension."""

RAW_RATE_HZ = 8000
"""A-law, one byte a sample."""

_TALK = "HOTLINE_TALK_"  # and an extension: the newest recorded talk of that phone, as call@channel
_NAME = re.compile(r"(?P<call>[A-Za-z0-9_.:-]{1,120})-(?P<side>caller|agent)-(?P<began>[0-9]{10,14})\.alaw")
NOW = "${STRFTIME(,,%s%3q)}"  # milliseconds since 1970


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
    yield f'GotoIf($["${{{CALL}}}" != ""]?unrecorded)'
    yield from _if_allowed(f"Set(__{CALL}=${{CHANNEL(linkedid)}})", _monitor(Side.CALLER))
    yield at("unrecorded", "NoOp()")


def calling(site: Site) -> Iterator[str]:
    """Steps of an agent who calls a citizen back on a recorded line, before the citizen is called.

    What lies before the citizen's answer is thrown away when the files are joined, and so is all of it if the
    citizen's own channel is not recorded in the end.
    """
    if site.records:
        yield f'GotoIf($["{_POLICY}" = ""]?unrecorded)'
        yield f"Set(__{CALL}=${{CHANNEL(linkedid)}})"
        yield _monitor(Side.AGENT)
        yield at("unrecorded", "NoOp()")


def called(site: Site) -> Iterator[str]:
    """Steps of the citizen who answers a callback: the notice, like every caller's, then the recording.

    The next step must be labelled ``reached``.
    """
    if site.records:
        yield f'GotoIf($["${{{CALL}}}" = ""]?reached)'
        yield from notice(site)
        yield from _if_allowed(_monitor(Side.CALLER), "Goto(reached)")
        yield at("unrecorded", f"Set({CALL}=)")


def notice(site: Site) -> Iterator[str]:
    """Say the site's notice, and note whether it was heard."""
    if site.notice:
        yield f"Playback({sound(word(site.notice, 'prompt'))})"
        yield f"Set({NOTICE}=${{PLAYBACKSTATUS}})"


def _if_allowed(*steps: str) -> Iterator[str]:
    """Take these steps if the line is recorded and the law allows; else go to ``unrecorded``."""
    yield f'GotoIf($["{_POLICY}" = "{Recorded.ON}"]?record)'
    yield f'GotoIf($["{_POLICY}:${{{NOTICE}}}" != "{Recorded.BY_NOTICE}:SUCCESS"]?unrecorded)'
    yield at("record", steps[0])
    yield from steps[1:]


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
                f'GotoIf($["${{{PHONE}}}" = ""]?done)',
                f"Set(GLOBAL({_TALK}${{{PHONE}}})=${{{CALL}}}@${{CHANNEL(name)}})",
                at("done", "Return()"),
            ),
        )


def asking(site: Site) -> tuple[str, ...]:
    """A step before Dial."""
    return (f"Gosub({ASKED},s,1)",) if site.records else ()


def asked_context(site: Site) -> Iterator[str]:
    """An agent asks somebody by a second call of the phone, perhaps to hand the caller over by its button.

    That is another call, which becomes this one only then (REFER with Replaces). So whoever answers is
    recorded for the call with which this phone has a recorded talk.
    """
    if site.records:
        yield context(
            ASKED,
            "An agent's phone dials: a second call of one that is in a recorded talk belongs to that.",
            (
                "s",
                f'GotoIf($["${{{CALL}}}" != "" | "${{{PHONE}}}" = ""]?done)',
                f"Set(HOTLINE_TALK=${{GLOBAL({_TALK}${{{PHONE}}})}})",
                'GotoIf($["${HOTLINE_TALK}" = ""]?done)',
                "GotoIf($[${CHANNEL_EXISTS(${CUT(HOTLINE_TALK,@,2)})} = 0]?done)",
                f"Set(__{CALL}=${{CUT(HOTLINE_TALK,@,1)}})",
                at("done", "Return()"),
            ),
        )


def supervised(site: Site, *, heard: bool, channel: str) -> Iterator[str]:
    """Steps on a supervisor's channel: record that voice too, while the caller hears it and only then.

    Args:
        site: records or does not.
        heard: whether the caller hears the supervisor from now on.
        channel: the name of the agent's channel, which knows whether the call is recorded.
    """
    if not site.records:
        return
    yield f'GotoIf($["${{{CALL}}}" = ""]?unrecorded)'
    yield "StopMixMonitor()"
    yield f"Set({CALL}=)"
    yield at("unrecorded", "NoOp()")
    if heard:
        yield f"Set({CALL}=${{IMPORT({channel},{CALL})}})"
        yield f'GotoIf($["${{{CALL}}}" = ""]?quiet)'
        yield _monitor(Side.AGENT)
        yield at("quiet", "NoOp()")


def _monitor(side: Side) -> str:
    return f"MixMonitor(,r({FOLDER}/${{{CALL}}}-{side}-{NOW}.alaw))"
