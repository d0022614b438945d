"""Times of a call of which nothing is written down: an agent paused the recording. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class HiddenTimes:
    """Times on the transcript's clock: seconds since the call was answered."""

    _ended: list[tuple[float, float]] = field(default_factory=list)
    _since: float | None = None

    def begin(self, seconds: float) -> None:
        """Hide what is said from here on; nothing happens if that is so already."""
        if self._since is None:
            self._since = seconds

    def end(self, seconds: float) -> None:
        """Show again what is said from here on."""
        if self._since is not None:
            self._ended.append((self._since, seconds))
            self._since = None

    def touch(self, start_seconds: float, end_seconds: float) -> bool:
        """Whether any part of this time is hidden: an utterance is hidden whole or not at all."""
        if self._since is not None and end_seconds > self._since:
            return True
        return any(start_seconds < until and end_seconds > since for since, until in self._ended)
