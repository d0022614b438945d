"""Phones, HMM states and the numbers Kaldi knows them by.

A phone is espeak's mnemonic. Kaldi sees each at four places in a word (begin, internal, end, singleton) as
phones of their own that share pdfs, so that words' ends can be found in a lattice. Silence is phone 1, pdf 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

__all__ = ["SILENCE", "PhoneSet", "Place", "Triple"]

SILENCE = "SIL"
SILENCE_ID = 1
SILENCE_PDF = 0
_VOWEL_INITIALS = frozenset("aeiouyAEIOUY@&3")


class Place(Enum):
    """Where in its word a phone stands; the value is the name in ``word_boundary.int``."""

    BEGIN = "begin"
    INTERNAL = "internal"
    END = "end"
    SINGLETON = "singleton"

    @classmethod
    def of(cls, index: int, length: int) -> Place:
        """Return the place of phone ``index`` in a word of ``length`` phones."""
        if length == 1:
            return cls.SINGLETON
        if index == 0:
            return cls.BEGIN
        return cls.END if index == length - 1 else cls.INTERNAL


@dataclass(frozen=True, slots=True)
class Triple:
    """One HMM state of one phone and the pdf it shares with the same phone at other places."""

    phone_id: int
    state: int
    pdf: int


class PhoneSet:
    """The phones of a lexicon, in a fixed order, with their states, pdfs and transition ids."""

    def __init__(self, pronunciations: Mapping[str, Sequence[str]]) -> None:
        self.phones: tuple[str, ...] = tuple(
            sorted({phone for word in pronunciations.values() for phone in word})
        )
        self._index = {phone: index for index, phone in enumerate(self.phones)}
        self._first_pdf: dict[str, int] = {SILENCE: SILENCE_PDF}
        pdf = 1
        for phone in self.phones:
            self._first_pdf[phone] = pdf
            pdf += self.state_count(phone)
        self.pdf_count = pdf
        self.triples: tuple[Triple, ...] = tuple(
            sorted(self._all_triples(), key=lambda t: (t.phone_id, t.state))
        )
        self._triple_index = {(t.phone_id, t.state): index for index, t in enumerate(self.triples)}

    @staticmethod
    def state_count(phone: str) -> int:
        """Return how many HMM states a phone has: 2 for vowels, whose sound moves, 1 for others."""
        return 2 if phone != SILENCE and phone[0] in _VOWEL_INITIALS else 1

    def phone_id(self, phone: str, place: Place) -> int:
        """Return Kaldi's number of a phone at a place in its word."""
        if phone == SILENCE:
            return SILENCE_ID
        return SILENCE_ID + 1 + 4 * self._index[phone] + list(Place).index(place)

    def phone_ids(self) -> Iterable[int]:
        """Return all of Kaldi's phone numbers in order."""
        return range(SILENCE_ID, SILENCE_ID + 4 * len(self.phones) + 1)

    def phone_of(self, phone_id: int) -> str:
        """Return the phone a Kaldi number stands for."""
        return SILENCE if phone_id == SILENCE_ID else self.phones[(phone_id - SILENCE_ID - 1) // 4]

    def pdf(self, phone: str, state: int) -> int:
        """Return the output of the network that scores a state of a phone."""
        return self._first_pdf[phone] + state

    def forward_id(self, phone_id: int, state: int) -> int:
        """Return the transition id of leaving a state (Kaldi counts transition ids from 1)."""
        return 2 * self._triple_index[phone_id, state] + 2

    def loop_id(self, phone_id: int, state: int) -> int:
        """Return the transition id of staying in a state."""
        return 2 * self._triple_index[phone_id, state] + 1

    def word_boundaries(self) -> list[str]:
        """Return the lines of Kaldi's ``word_boundary.int``."""
        lines = [f"{SILENCE_ID} nonword"]
        for phone in self.phones:
            lines.extend(f"{self.phone_id(phone, place)} {place.value}" for place in Place)
        return lines

    def _all_triples(self) -> Iterable[Triple]:
        for phone_id in self.phone_ids():
            phone = self.phone_of(phone_id)
            for state in range(self.state_count(phone)):
                yield Triple(phone_id, state, self.pdf(phone, state))
