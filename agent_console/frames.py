"""One event as frames: whole for whose business the call is, with numbers masked for who merely looks."""

from __future__ import annotations

from dataclasses import replace

from hotline.agent_console.tails import Revisions, tail_frame
from hotline.agent_console.wire import event_frame
from hotline.core.events import Envelope, TranscriptSegment
from hotline.core.sensitive import mask_live


def whole_frame(envelope: Envelope, *, masked: bool) -> str:
    """An event's frame that needs none before it."""
    event = envelope.event
    if masked and isinstance(event, TranscriptSegment):
        envelope = replace(envelope, event=mask_live(event))
    return event_frame(envelope)


class Frames:
    """The frames of one event, each encoded once for all pages that get it."""

    def __init__(self, envelope: Envelope) -> None:
        self._envelope = envelope
        self._made: dict[tuple[bool, bool], str] = {}  # by: a tail, numbers masked

    def for_page(self, texts: Revisions, *, masked: bool) -> str:
        """What to send to a page that was sent ``texts``, and notes that it was."""
        event = self._envelope.event
        before = texts.take(event) if isinstance(event, TranscriptSegment) else None
        key = before is not None, masked
        if key not in self._made:
            if isinstance(event, TranscriptSegment) and before is not None and not event.final:
                self._made[key] = self._tail(event, before, masked)
            else:
                self._made[key] = whole_frame(self._envelope, masked=masked)
        return self._made[key]

    def _tail(self, event: TranscriptSegment, before: TranscriptSegment, masked: bool) -> str:
        if masked:  # letter for letter, so that places stay
            event, before = mask_live(event), mask_live(before)
        return tail_frame(self._envelope, event, before)
