"""What Asterisk reports of channels being joined, parted and handed on.

A consult goes through a pair of Local channels, `Local/8002@hotline-transfer-00000003;1` in the bridge of who
consults and `...;2` in the bridge of who is consulted. Once both sides talk Asterisk takes the pair out again
("optimisation"): the consulted phone leaves its bridge and enters the other one within a millisecond.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeEnter:
    """A channel can be heard by the others in the bridge. `linkedid`: the oldest call of all who are joined.

    Attributes:
        caller_number: the party's number; of a phone outside that was dialled, the number dialled.
    """

    at: datetime
    channel: str
    uniqueid: str
    linkedid: str
    caller_number: str
    bridge_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeLeave:
    """A channel left its bridge: for another one, or because it is about to end."""

    at: datetime
    uniqueid: str
    bridge_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindTransfer:
    """A party handed the other one on unannounced; told before the two leave their bridge."""

    at: datetime
    transferer_uniqueid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendedTransfer:
    """A party joined two others; told also of a three-way, where the party stays.

    Attributes:
        transferer_uniqueids: the party's channels: one if Asterisk ran the consult, two if the phone did.
    """

    at: datetime
    transferer_uniqueids: tuple[str, ...]
