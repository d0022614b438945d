"""What waits to be sent to one page. No I/O.

Policy: events are kept in order and never dropped singly; when more than ``max_events`` or ``max_bytes`` of
them wait, the page is too slow and is to be cut off (``push`` says so), since it can come back and replay.
Of a picture (live, figures) only the newest waits: a slow page skips pictures instead of collecting them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

MAX_EVENTS: Final = 500
MAX_BYTES: Final = 256 * 1024


@dataclass(slots=True, eq=False)
class _Item:
    text: str
    size_bytes: int  # 0 for pictures: they are bounded by being one of each kind


@dataclass(slots=True)
class Outbox:
    """A bounded line of frames for one page."""

    max_events: int = MAX_EVENTS
    max_bytes: int = MAX_BYTES
    _items: deque[_Item] = field(default_factory=deque)
    _pictures: dict[str, _Item] = field(default_factory=dict)
    _bytes: int = 0

    def __len__(self) -> int:
        return len(self._items)

    def push(self, text: str) -> bool:
        """Append an event's frame. False: there is no room, nothing was taken, cut the page off."""
        size_bytes = len(text.encode())
        if len(self._items) - len(self._pictures) >= self.max_events:
            return False
        if self._bytes + size_bytes > self.max_bytes:
            return False
        self._items.append(_Item(text, size_bytes))
        self._bytes += size_bytes
        return True

    def put_picture(self, kind: str, text: str) -> None:
        """Append the newest picture of its kind, taking out one of the same kind that still waits."""
        stale = self._pictures.pop(kind, None)
        if stale is not None:
            self._items.remove(stale)
        item = self._pictures[kind] = _Item(text, 0)
        self._items.append(item)

    def take(self) -> str | None:
        """The next frame to send, or None when nothing waits."""
        if not self._items:
            return None
        item = self._items.popleft()
        self._bytes -= item.size_bytes
        for kind, picture in self._pictures.items():
            if picture is item:
                del self._pictures[kind]
                break
        return item.text
