"""The context ``hotline-spy``: a supervisor's phone on an agent's call, listening, whispering or barging in.

The keys 4, 5 and 6 of that phone (the console presses them too) lead from one to another, by ChanSpy's ``X``.
So each change is told, and what the phone does stands on its channel, where a new server reads it. Who barges
in is heard by the caller, and therefore is recorded with the call; a whisper is neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from hotline.config.schema import Site
from hotline.core.control import SuperviseVerb
from hotline.telephony.asterisk_config import recording
from hotline.telephony.asterisk_config.context import context

NAME: Final = "hotline-spy"
EVENT: Final = "HotlineSpy"
ON: Final = "HOTLINE_SPY_ON"
"""The unique id of the agent's channel."""
ON_CHANNEL: Final = "HOTLINE_SPY_ON_CHANNEL"
"""Its name."""
STATE: Final = "HOTLINE_SPY"
"""What the phone does, as ``SpyState`` reads it."""

KEYS: Final = {SuperviseVerb.LISTEN: "4", SuperviseVerb.WHISPER: "5", SuperviseVerb.BARGE: "6"}
_MODES: Final = {SuperviseVerb.LISTEN: "", SuperviseVerb.WHISPER: "w", SuperviseVerb.BARGE: "B"}
_ALWAYS: Final = "uqdXES"
"""u: by unique id; q: no beeps; d: other keys do nothing; X: 4, 5, 6 lead on; E, S: ends with the agent."""
_EPOCH: Final = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class SpyState:
    """What a supervisor's phone does: on which agent's channel (its unique id), and since when."""

    on: str
    verb: SuperviseVerb
    since: datetime

    @classmethod
    def parse(cls, text: str) -> SpyState | None:
        """Read the channel's variable; None for one that is none of ours."""
        on, _, rest = text.partition("/")
        verb, _, since = rest.partition("/")
        if not on or verb not in set(KEYS) or not since.isdecimal() or len(since) > 14:
            return None
        return cls(on, SuperviseVerb(verb), _EPOCH + timedelta(milliseconds=int(since)))

    def __str__(self) -> str:
        return f"{self.on}/{self.verb}/{(self.since - _EPOCH) // timedelta(milliseconds=1)}"


def spy_context(site: Site) -> str:
    """One extension for each key; the phone begins at the one of what it was rung for."""
    return context(
        NAME,
        "A supervisor's phone on an agent's call; only the server's Originate enters.",
        *(_doing(verb, site) for verb in KEYS),
    )


def _doing(verb: SuperviseVerb, site: Site) -> Iterator[str]:
    yield KEYS[verb]
    yield f"Set({STATE}=${{{ON}}}/{verb}/{recording.NOW})"
    yield from recording.supervised(site, heard=verb is SuperviseVerb.BARGE, channel=f"${{{ON_CHANNEL}}}")
    yield f"UserEvent({EVENT},State: ${{{STATE}}})"
    yield f"ChanSpy(${{{ON}}},{_ALWAYS}{_MODES[verb]})"
    yield "Hangup()"
