"""Texts of one voice of a call into numbered segments: utterance 1, 2, 3; revision 1, 2, 3 of each.

Pure. All who speak on one side of a call, at once or one after another, share the count of its utterances;
none writes into another's. A text that says nothing new makes no segment; an utterance that was shown and
turned out to be nothing ends with an empty final text, so that nobody goes on showing it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hotline.asr.engine import Word
from hotline.core.events import Side, TranscriptSegment


@dataclass(slots=True)
class UtteranceCount:
    """The utterances of one side. ``last``: the highest number that a text of it bears; 0 for none."""

    last: int = 0

    def next(self) -> int:
        """The number of a new utterance."""
        self.last += 1
        return self.last


def _as_heard(text: str, _words: Sequence[Word]) -> str:
    return text


@dataclass(slots=True)
class UtteranceNumbers:
    """Numbers the texts of one voice.

    Args:
        call_id: of the call.
        side: of it.
        count: of that side.
        party: whose voice; see ``TranscriptSegment``.
        write: a final text, with its words as far as they are known, as people write it.
    """

    call_id: str
    side: Side
    count: UtteranceCount
    party: str = ""
    write: Callable[[str, Sequence[Word]], str] = _as_heard
    _open: TranscriptSegment | None = field(default=None, init=False)

    def number(
        self,
        text: str,
        *,
        final: bool,
        start_seconds: float,
        end_seconds: float,
        confidence: float | None,
        at: datetime,
        audio_at: datetime,
        words: Sequence[Word] = (),
    ) -> TranscriptSegment | None:
        """Make the segment for a text; None when there is nothing new to say."""
        open_one = self._open
        if open_one is None and not text:
            return None
        if open_one is not None and not final and text == open_one.text:
            return None
        segment = TranscriptSegment(
            call_id=self.call_id,
            at=at,
            side=self.side,
            utterance=open_one.utterance if open_one else self.count.next(),
            revision=open_one.revision + 1 if open_one else 1,
            text=text,
            final=final,
            start_seconds=start_seconds,
            end_seconds=max(start_seconds, end_seconds),
            confidence=confidence if final else None,
            audio_at=audio_at,
            party=self.party,
            written=self.write(text, words) if final else text,
        )
        self._open = None if final else segment
        return segment

    def cut_off(self, at: datetime) -> TranscriptSegment | None:
        """The leg was lost: what was shown last of an open utterance is all there will be of it."""
        if self._open is None:
            return None
        return self.number(
            self._open.text,
            final=True,
            start_seconds=self._open.start_seconds,
            end_seconds=self._open.end_seconds,
            confidence=None,
            at=at,
            audio_at=self._open.audio_at,
        )
