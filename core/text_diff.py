"""What was heard live beside what a larger model made of the recording. Pure.

Like is compared with like: both as people write them, or both as heard when one of them (of an earlier
version) is known so only. Punctuation is shown as it differs, but is no difference to count: nobody says it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from hotline.core.events import Side
from hotline.core.views import Segment

LONGEST_ROW: Final = 400  # characters: comparing takes the square of it
LONGEST_SIDE: Final = 3_000  # characters that are compared as a whole for the figure: a second at most
PUNCTUATION: Final = frozenset("，。？！、；： ,.?!;:")
TOGETHER_SECONDS: Final = 0.5  # utterances of both versions that begin so near are the same one


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text that the other text has too (``same``), or has not."""

    text: str
    same: bool


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """What one side said in a stretch of time, in both versions. Seconds from the call's answer."""

    side: Side
    start_seconds: float
    end_seconds: float
    live: tuple[Piece, ...]
    second: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A call compared.

    Attributes:
        rows: by start.
        differed: characters that the other version has not, over those of the longer one, punctuation apart;
            None without text.
    """

    rows: tuple[ComparedRow, ...]
    differed: float | None


def compare(live: Sequence[Segment], second: Sequence[Segment]) -> Comparison:
    """Put the versions side by side, utterance by utterance as far as they were cut at the same places."""
    written = all(any(one.written != one.text for one in version) for version in (live, second))
    rows: list[ComparedRow] = []
    changed = longer = 0
    for side in Side:
        before = changed
        for block in _blocks(live, second, side):
            ours, theirs = (_joined(one, written=written) for one in (block.live, block.second))
            left, right, edits = _pieces(ours, theirs)
            rows.append(ComparedRow(side, block.start, block.end, left, right))
            changed += edits
        sides = [[one for one in version if one.side is side] for version in (live, second)]
        whole = [_joined(one, written=written) for one in sides]
        longer += max(map(_said, whole))
        if max(map(len, whole)) <= LONGEST_SIDE:  # then clocks that went apart do not count as differences
            changed = before + _pieces(*whole)[2]
    rows.sort(key=lambda row: (row.start_seconds, row.side))
    return Comparison(tuple(rows), min(1.0, changed / longer) if longer else None)


class _Block:
    """Utterances of both versions that overlap in time."""

    def __init__(self, start: float) -> None:
        self.start = self.newest = self.end = start
        self.size = 0
        self.live: list[Segment] = []
        self.second: list[Segment] = []

    def is_over_at(self, start: float) -> bool:
        """Nothing of it is still being said; or it is long, and both versions begin something new."""
        return start >= self.end or (self.size > LONGEST_ROW and start - self.newest >= TOGETHER_SECONDS)


def _blocks(live: Iterable[Segment], second: Iterable[Segment], side: Side) -> Iterator[_Block]:
    said = [(one, True) for one in live if one.side is side]
    said += [(one, False) for one in second if one.side is side]
    block: _Block | None = None
    for segment, is_live in sorted(said, key=lambda one: one[0].start_seconds):
        if block is None or block.is_over_at(segment.start_seconds):
            if block is not None:
                yield block
            block = _Block(segment.start_seconds)
        (block.live if is_live else block.second).append(segment)
        block.size += len(segment.text)
        block.end, block.newest = max(block.end, segment.end_seconds), segment.start_seconds
    if block is not None:
        yield block


def _joined(segments: Iterable[Segment], *, written: bool) -> str:
    return "".join(segment.written if written else segment.text for segment in segments)


def _said(text: str) -> int:
    """How many characters of a text were said."""
    return sum(one not in PUNCTUATION for one in text)


def _pieces(one: str, other: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...], int]:
    """Both texts in pieces, and how many characters of the longer one are not in the other."""
    left: list[Piece] = []
    right: list[Piece] = []
    edits = max(_said(one), _said(other))
    for kind, i, j, k, m in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        same = kind == "equal"
        if i < j:
            left.append(Piece(one[i:j], same))
        if k < m:
            right.append(Piece(other[k:m], same))
        edits -= _said(one[i:j]) if same else 0
    return tuple(left), tuple(right), edits
