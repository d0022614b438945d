"""The special lines of the country, as data: ``catalogue.yaml`` typed."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pydantic import TypeAdapter

from hotline.config.section import Digits, Section, Text
from hotline.config.yaml_text import read_document
from hotline.core.drafts import OrderField

__all__ = ["KnownLine", "catalogue", "known_line"]

FILE = Path(__file__).with_name("catalogue.yaml")


class KnownLine(Section):
    """A special line as it is known everywhere; what a site made of it is in the site's own file.

    Attributes:
        unit: the kind of bureau that answers for it today; ``formerly``: the one before, if another.
        part_of: the number of the line whose figures it belongs to.
        seat: it is a desk of 12345, not a line.
        never_merged: an emergency number.
        order_fields: what its work orders ask for beyond what all do.
    """

    number: Digits | None = None
    suffix: Digits | None = None
    name: Text
    unit: Text
    formerly: Text | None = None
    about: str
    part_of: Digits | None = None
    seat: bool = False
    never_merged: bool = False
    order_fields: tuple[OrderField, ...] = ()

    @property
    def label(self) -> str:
        """As reports print it: 12365-1, 12315, or the name where it has no number."""
        number = self.number or self.name
        return f"{number}-{self.suffix}" if self.suffix else number


@lru_cache(maxsize=1)
def catalogue() -> tuple[KnownLine, ...]:
    """Return every line of the catalogue, in its order."""
    return TypeAdapter(tuple[KnownLine, ...]).validate_python(read_document(FILE).data)


def known_line(number: str) -> KnownLine | None:
    """Return the line of a number, or None if the number is no special line's."""
    return next((line for line in catalogue() if line.number == number), None)
