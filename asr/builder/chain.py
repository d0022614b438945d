"""A phone in the decoding graph: its HMM states, one after another.

A frame in an HMM state takes its forward transition first and then its self-loops (Kaldi's "reorder"), so a
state is an arc to a node that loops.
"""

from __future__ import annotations

from hotline.asr.builder.fst import EPSILON, Fst
from hotline.asr.builder.phones import PhoneSet, Place

__all__ = ["add_phone"]


def add_phone(
    fst: Fst, phones: PhoneSet, here: int, there: int, phone: str, place: Place, *, label: int = EPSILON
) -> None:
    """Add the states of ``phone`` between two nodes; ``label`` stands on the first arc.

    The last state's loop is on ``there``: no other phone may end in that node.
    """
    phone_id = phones.phone_id(phone, place)
    states = phones.state_count(phone)
    for state in range(states):
        target = there if state == states - 1 else fst.add_state()
        fst.add_arc(here, target, inp=phones.forward_id(phone_id, state), out=label)
        fst.add_arc(target, target, inp=phones.loop_id(phone_id, state))
        here, label = target, EPSILON
