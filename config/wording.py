"""What a site knows of its callers' words: what is heard wrongly and what is meant, and words to mark."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from hotline.config.section import Section

SPOKEN = r"^[^\s，。？！、；：,.?!;:]+( [^\s，。？！、；：,.?!;:]+)*$"
Phrase = Annotated[str, Field(min_length=2, max_length=40, pattern=SPOKEN)]
"""Words as they are heard: no marks, no space but between words with letters."""
Keywords = Annotated[tuple[Phrase, ...], Field(max_length=500)]


class Correction(Section):
    """``heard``, wherever it stands in a final text, is written as ``meant``."""

    heard: Phrase
    meant: Annotated[str, Field(min_length=1, max_length=40, pattern=SPOKEN)]

    @model_validator(mode="after")
    def _changes_for_good(self) -> Self:
        if self.heard in self.meant:
            raise ValueError(
                f'"{self.meant}" holds "{self.heard}": heard rightly it would be made wrong;'
                " give more of what is heard, or delete the entry"
            )
        return self


Corrections = Annotated[tuple[Correction, ...], Field(max_length=2_000)]
