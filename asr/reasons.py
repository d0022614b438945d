"""Why a side of a call is not heard, as LegLost says it, and what a tapping may do about it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """Why a leg is not heard. The value is what the event carries."""

    DISABLED = "disabled"  # the site does not want recognition
    NO_CAPACITY = "no_capacity"  # every worker has as many legs as it can hear
    GAVE_WAY = "gave_way"  # an agent's voice, so that a caller's is heard
    NO_WORKER = "no_worker"  # no recogniser process is ready
    EXCHANGE_UNREACHABLE = "exchange_unreachable"  # the manager interface is down
    REFUSED = "refused"  # Asterisk did not make the tap
    NOT_CONNECTED = "not_connected"  # the tap was made, no audio connection came
    HUNG_UP = "hung_up"  # Asterisk ended the tap
    BROKEN = "broken"  # the connection broke or was cut in a frame
    GARBAGE = "garbage"  # what came is not AudioSocket
    IDLE = "idle"  # no audio for so long that nobody can be there
    ENGINE_FAILED = "engine_failed"  # the recogniser gave up on this stream
    WORKER_DIED = "worker_died"
    WORKER_FROZEN = "worker_frozen"
    RELEASED = "released"  # we ended it


ENDINGS: Final = frozenset({Reason.HUNG_UP, Reason.BROKEN})
"""How the end of a call looks from the audio connection: worth a moment's wait for the call's own end."""
