"""Frames with whole texts: of a partial text the console sends only what changed (docs/console-api.md)."""

from __future__ import annotations

from typing import Any, Final

LIMIT: Final = 4_000  # utterances under way; the oldest go, and come whole with their final text


class WholeTexts:
    """What one page was sent of each utterance under way."""

    def __init__(self) -> None:
        self._newest: dict[tuple[str, str, int], dict[str, Any]] = {}

    def of(self, frame: dict[str, Any]) -> dict[str, Any] | None:
        """The frame, a ``transcript_tail`` as the ``transcript_segment`` it stands for.

        None for a tail of a text that never came.
        """
        name = frame.get("name")
        if name not in ("transcript_segment", "transcript_tail"):
            return frame
        data = frame["data"]
        key = (data["call_id"], data["side"], data["utterance"])
        before = self._newest.pop(key, None)
        if name == "transcript_tail":
            if before is None or before["revision"] != data["revision"] - 1:
                return None
            text = before["text"][: data["keep"]] + data["tail"]
            changed = {name: data[name] for name in ("at", "revision", "end_seconds", "audio_at")}
            data = {**before, **changed, "text": text, "written": text}
            frame = {**frame, "name": "transcript_segment", "data": data}
        if not data["final"]:
            self._newest[key] = data
            if len(self._newest) > LIMIT:
                del self._newest[next(iter(self._newest))]
        return frame
