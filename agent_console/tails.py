"""Partial texts on the socket: of a text that a page has, only what changed is sent.

A partial text mostly goes on where the one before it ended. To a page that was sent that one, the hub says
how many characters of it stay and what follows them; a page that was not (it has just come, or the call has)
gets the whole text, as does everybody the first and the final one. So no page needs what it has not got.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final

from hotline.agent_console.wire import dump, moment
from hotline.core.events import Envelope, TranscriptSegment

LIMIT: Final = 4_000  # utterances under way; beyond that all are forgotten, and whole texts are sent once

TextKey = tuple[str, str, int]
"""Names an utterance: call, side, number."""


def key_of(event: TranscriptSegment) -> TextKey:
    """Which utterance a text is of."""
    return event.call_id, event.side.value, event.utterance


@dataclass(slots=True)
class Revisions:
    """The newest partial text of every utterance under way: of all calls, or as one page was sent them."""

    _newest: dict[TextKey, TranscriptSegment] = field(default_factory=dict)

    def take(self, event: TranscriptSegment) -> TranscriptSegment | None:
        """Note a text; return the revision just before it, if that was noted."""
        key = key_of(event)
        before = self._newest.pop(key, None)
        if not event.final:
            if len(self._newest) >= LIMIT:
                self._newest.clear()
            self._newest[key] = event
        return before if before is not None and before.revision == event.revision - 1 else None


def tail_frame(envelope: Envelope, event: TranscriptSegment, before: TranscriptSegment) -> str:
    """The frame that makes ``event`` of ``before``, counting characters as Unicode does."""
    pairs = zip(event.text, before.text, strict=False)
    keep = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    data = {
        "call_id": event.call_id,
        "at": moment(event.at),
        "side": event.side.value,
        "utterance": event.utterance,
        "revision": event.revision,
        "keep": keep,
        "tail": event.text[keep:],
        "end_seconds": event.end_seconds,
        "audio_at": moment(event.audio_at),
    }
    return dump({"type": "event", "seq": envelope.seq, "name": "transcript_tail", "data": data})
