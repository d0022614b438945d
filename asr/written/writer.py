"""What was heard, as people write it: corrected by the site's list, numbers in digits, punctuated.

Pure, and linear in the length of the text. It runs in the server's own process, on final texts only: some 100
microseconds each, of which a busy hall of 200 calls has about 60 a second. Partial texts stay as heard.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Final

from hotline.asr.engine import Word
from hotline.asr.written.marks import punctuated, wants_marks
from hotline.asr.written.numbers import spans_of
from hotline.asr.written.spoken import Span, Spoken

log = logging.getLogger(__name__)

MAX_CHARACTERS: Final = 2_000  # ten minutes without a breath; longer texts stay as heard


def load() -> None:
    """Load what writing numbers needs, so that no text waits for it."""
    Writer().write("三百元")


class Writer:
    """Writes texts of one line.

    Args:
        corrections: what is heard -> what is meant. The longest of those that begin at a place holds.
    """

    def __init__(self, corrections: Mapping[str, str] | None = None) -> None:
        self._meant = dict(corrections or {})
        longest_first = sorted(self._meant, key=len, reverse=True)
        self._heard = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def write(self, text: str, words: Sequence[Word] = ()) -> str:
        """The written form of a final text; the text itself should writing fail."""
        if len(text) > MAX_CHARACTERS:
            return text
        try:
            return self._write(Spoken.of(text, words))
        except Exception as error:  # a fault here must not cost the text
            log.error("a text could not be written, it stays as heard: %s", type(error).__name__)
            return text

    def _write(self, spoken: Spoken) -> str:
        if self._heard is not None:
            found = self._heard.finditer(spoken.text)
            spoken = spoken.replaced([Span(*one.span(), self._meant[one[0]]) for one in found])
        if not wants_marks(spoken.text):
            return spoken.text  # another language, or an engine that writes by itself
        return punctuated(spoken.replaced(spans_of(spoken.text)))
