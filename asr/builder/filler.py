r"""The unknown word: a way through the decoding graph for speech that no word of the list fits.

It takes any syllables, each phone at the price of a phone pair, so that a word of the list that does fit is
cheaper. Vosk prints it as ``[unk]``:

    entry -first phone-> after(p) -next phone-> after(q) ... -last phone, labelled-> ended
                             \--syllable ends--> hub --next syllable--/

The label stands on the last phone: while somebody goes on speaking, a partial result waits for the end of
what is not understood.
"""

from __future__ import annotations

from dataclasses import dataclass

from hotline.asr.builder.chain import add_phone
from hotline.asr.builder.fst import Fst
from hotline.asr.builder.phones import PhoneSet, Place
from hotline.asr.builder.syllables import SyllableCosts

__all__ = ["UNKNOWN_WORD", "UnknownCosts", "add_filler"]

UNKNOWN_WORD = "[unk]"
"""As Vosk's own models write it."""


@dataclass(frozen=True, slots=True)
class UnknownCosts:
    """How readily the unknown word is heard, chosen on the first part of ``data/outside.yaml``.

    Attributes:
        begin: of hearing it at all, where a word of the list might stand.
        go_on: of any word after it.
        end: of the sentence ending with it.
        phone_scale: how much of the phones' own cost counts.
    """

    begin: float = 8.0
    go_on: float = 0.5
    end: float = 1.0
    phone_scale: float = 1.2


def add_filler(
    fst: Fst,
    phones: PhoneSet,
    costs: SyllableCosts,
    scale: float,
    *,
    entry: int,
    ended: int,
    label: int,
) -> None:
    """Add the ways of all syllables, two phones at least, from ``entry`` to ``ended``."""
    hub = fst.add_state()
    said = [phone for phone in phones.phones if phone in costs.following]
    inside = {phone: fst.add_state() for phone in said}
    final = {phone: fst.add_state() for phone in costs.last}
    for phone in said:
        after = _add_places(fst, phones, phone, entry, inside[phone], costs, scale)
        for following, cost in costs.following[phone].items():
            fst.add_arc(after, inside[following], cost=cost * scale)
            if following in final:
                fst.add_arc(after, final[following], cost=(cost + costs.last[following]) * scale)
        if phone in costs.last:
            fst.add_arc(after, hub, cost=costs.last[phone] * scale)
    for phone, cost in costs.first.items():
        fst.add_arc(hub, inside[phone], cost=cost * scale)
        if phone in final:
            fst.add_arc(hub, final[phone], cost=(cost + costs.last[phone]) * scale)
    for phone, start in final.items():
        sounded = fst.add_state()
        add_phone(fst, phones, start, sounded, phone, Place.END, label=label)
        fst.add_arc(sounded, ended)


def _add_places(
    fst: Fst, phones: PhoneSet, phone: str, entry: int, inside: int, costs: SyllableCosts, scale: float
) -> int:
    """Add a phone at the beginning and inside of the unknown word; return where both lead."""
    after = fst.add_state()
    ways = [(inside, Place.INTERNAL, 0.0)]
    if phone in costs.first:
        ways.append((entry, Place.BEGIN, costs.first[phone] * scale))
    for start, place, cost in ways:
        here, sounded = fst.add_state(), fst.add_state()
        fst.add_arc(start, here, cost=cost)
        add_phone(fst, phones, here, sounded, phone, place)
        fst.add_arc(sounded, after)
    return after
