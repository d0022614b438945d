"""features.conf: what an agent may key during a call, for phones that have no transfer button.

Only agents' phones may (``t`` of Queue and Dial, never ``T``); what a caller keys does nothing. A transfer
started by key finds its target in ``hotline-transfer``, like one that the phone's own button starts (REFER).
"""

from __future__ import annotations

from hotline.telephony.asterisk_config.prompts import TRANSFER_ASK, TRANSFER_FAILED, TRANSFER_INVALID, sound
from hotline.telephony.asterisk_config.text import document, section

BLIND_TRANSFER = "##"
CONSULT = "*2"
CONSULT_CANCEL = "*1"
CONSULT_COMPLETE = "*3"
THREE_WAY = "*5"
CONSULT_SWAP = "*6"
HOLD = "*7"
UNHOLD = "*8"
HOLD_FEATURES = "hotline-hold#hotline-unhold"
"""What ``DYNAMIC_FEATURES`` of an agent's endpoint names; the applications are in ``hold.py``."""
DIGIT_SECONDS = 3
CODE_MILLISECONDS = 1000
CONSULT_RING_SECONDS = 30


GENERAL: tuple[tuple[str, str | int], ...] = (
    ("transferdigittimeout", DIGIT_SECONDS),
    ("featuredigittimeout", CODE_MILLISECONDS),
    ("atxfernoanswertimeout", CONSULT_RING_SECONDS),
    ("atxferdropcall", "no"),  # who left before the target answered is called back: the caller is not lost
    ("atxferabort", CONSULT_CANCEL),
    ("atxfercomplete", CONSULT_COMPLETE),
    ("atxferthreeway", THREE_WAY),
    ("atxferswap", CONSULT_SWAP),
    ("transferannouncesound", sound(TRANSFER_ASK)),
    ("transferinvalidsound", sound(TRANSFER_INVALID)),
    ("transferretrysound", sound(TRANSFER_INVALID)),
    ("xferfailsound", sound(TRANSFER_FAILED)),
    ("xfersound", ""),  # nothing: whoever is joined hears the other's voice
)
"""The codes during a consult are those of the person who consults."""


def features_conf(*, name: str = "features.conf", managed: bool = True) -> str:
    """The keys and their sentences; ``managed``: with the options that an Asterisk of ours needs besides."""
    keys: list[tuple[str, str | int]] = [("blindxfer", BLIND_TRANSFER), ("atxfer", CONSULT)]
    applications: list[tuple[str, str | int]] = [
        ("hotline-hold", f'{HOLD},peer,Gosub,"hotline-hold,s,1"'),
        ("hotline-unhold", f'{UNHOLD},self,Gosub,"hotline-unhold,s,1"'),
    ]
    general = [section("general", GENERAL)] if managed else []
    return document(
        name,
        "Keys an agent may press in a call.",
        *general,
        section("featuremap", keys),
        section("applicationmap", applications),
    )
