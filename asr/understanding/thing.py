"""A named thing in one utterance."""

from __future__ import annotations

from dataclasses import dataclass

from hotline.core.understanding import PointKind


@dataclass(frozen=True, slots=True)
class Thing:
    """What was named: its words, how sure the rule is (0 to 1), and where in the `plain` text it begins."""

    kind: PointKind
    value: str
    score: float
    rule: str
    start: int
