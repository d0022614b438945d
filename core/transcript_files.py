"""One call's text as a file: plain text to read, SRT to play beside the sound, JSON for programs. Pure.

Times count from the call's answer. In SRT two who speak at once overlap, as players allow; a long utterance
becomes several captions, cut after punctuation where there is any, each shown for its share of the time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum
from typing import Final

from hotline.core.events import Side
from hotline.core.sensitive import mask_segments
from hotline.core.views import CallSummary, Segment

CAPTION_CHARACTERS: Final = 36  # two lines of 18: what a viewer reads at a glance
SHORTEST_CAPTION_MS: Final = 400
_ENDS: Final = "。！？；!?;"
_PAUSES: Final = "，、：,:"
_CALLER: Final = {"zh-CN": "来电人", "en": "Caller"}
_AGENT: Final = {"zh-CN": "坐席", "en": "Agent"}


class FileKind(StrEnum):
    """What a transcript is written as; the value is the file's ending, ``text`` its other name."""

    TEXT = "txt"
    SRT = "srt"
    JSON = "json"

    @property
    def media_type(self) -> str:
        """As HTTP names it."""
        kinds = {FileKind.TEXT: "text/plain", FileKind.SRT: "application/x-subrip"}
        return f"{kinds.get(self, 'application/json')}; charset=utf-8"


@dataclass(frozen=True, slots=True)
class CallText:
    """A call and what was said in it.

    Attributes:
        call: as it is shown to whoever gets the file.
        segments: the final texts, by start.
        names: of agents, by id.
        zone: for moments.
        language: of the words that are ours: zh-CN or en.
    """

    call: CallSummary
    segments: Sequence[Segment]
    names: Mapping[str, str]
    zone: tzinfo
    language: str = "zh-CN"

    def speaker(self, segment: Segment) -> str:
        """Whose voice it is, for people."""
        if segment.side is Side.CALLER:
            return _CALLER.get(self.language, _CALLER["en"])
        name = self.names.get(segment.party, segment.party)
        return " ".join(filter(None, (_AGENT.get(self.language, _AGENT["en"]), name)))


def as_shown(segments: Sequence[Segment], *, whole: bool, goes_on: bool = False) -> list[Segment]:
    """The final texts as a reader may have them: ``whole``, or with the numbers of persons masked.

    Every text that leaves in a file passes here. ``goes_on``: the call is not over.
    """
    final = [segment for segment in segments if segment.final and segment.text]
    return final if whole else mask_segments(final, goes_on=goes_on)


def write_file(said: CallText, kind: FileKind) -> str:
    """The whole file."""
    return _WRITERS[kind](said)


def file_name(said: CallText, kind: FileKind) -> str:
    """What to call it: the line and when the call began, in the site's own time."""
    began = said.call.started_at.astimezone(said.zone)
    line = re.sub(r"[^A-Za-z0-9_-]", "_", said.call.line)
    word = {"zh-CN": "通话文字"}.get(said.language, "transcript")
    return f"{word}_{line}_{began:%Y%m%d-%H%M%S}.{kind.value}"


def _text(said: CallText) -> str:
    call = said.call
    began = call.started_at.astimezone(said.zone)
    head = [call.call_id, call.line, f"{began:%Y-%m-%d %H:%M:%S%z}", call.caller_number]
    lines = ["  ".join(filter(None, head)), ""]
    for segment in said.segments:
        minutes, seconds = divmod(max(0, int(segment.start_seconds)), 60)
        lines.append(f"[{minutes:02}:{seconds:02}] {said.speaker(segment)}：{_one_line(segment.written)}")
    return "\n".join(lines) + "\n"


def _json(said: CallText) -> str:
    call = said.call
    whole = {
        "call_id": call.call_id,
        "line": call.line,
        "started_at": call.started_at.isoformat(),
        "agent": call.agent,
        "segments": [
            {
                "side": segment.side.value,
                "party": segment.party,
                "speaker": said.speaker(segment),
                "start": round(segment.start_seconds, 3),
                "end": round(segment.end_seconds, 3),
                "text": segment.text,
                "written": segment.written,
                "confidence": segment.confidence,
            }
            for segment in said.segments
        ],
    }
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def _srt(said: CallText) -> str:
    captions = sorted(caption for segment in said.segments for caption in _captions(said, segment))
    blocks = [
        f"{number}\n{_clock(start)} --> {_clock(end)}\n{text}\n"
        for number, (start, end, text) in enumerate(captions, 1)
    ]
    return "\n".join(blocks)


_WRITERS: Final[dict[FileKind, Callable[[CallText], str]]] = {
    FileKind.TEXT: _text,
    FileKind.SRT: _srt,
    FileKind.JSON: _json,
}


def _captions(said: CallText, segment: Segment) -> Iterator[tuple[int, int, str]]:
    """From, up to (milliseconds) and text of the captions of an utterance."""
    start = max(0, round(segment.start_seconds * 1000))
    pieces = list(cut(_one_line(segment.written).replace("-->", "→"), CAPTION_CHARACTERS))
    length = max(round(segment.end_seconds * 1000) - start, SHORTEST_CAPTION_MS * len(pieces))
    total, shown = sum(map(len, pieces)), 0
    for piece in pieces:
        begins, ends = (start + length * part // total for part in (shown, shown + len(piece)))
        yield begins, ends, f"{said.speaker(segment)}：{piece}"
        shown += len(piece)


def cut(text: str, most: int) -> Iterator[str]:
    """``text`` in pieces of at most ``most`` characters, none of them empty; together they are the text."""
    while len(text) > most:
        place = _last(text[:most], _ENDS) or _last(text[:most], _PAUSES + " ") or most
        if place == most and len(text) < 2 * most:
            place = (len(text) + 1) // 2  # rather two of a length than one and a word
        yield text[:place]
        text = text[place:]
    if text:
        yield text


def _last(text: str, marks: str) -> int:
    """Behind the last of ``marks``, if that is not in the first third; else 0."""
    place = max(text.rfind(mark) for mark in marks) + 1
    return place if place > len(text) // 3 else 0


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02},{rest:03}"
