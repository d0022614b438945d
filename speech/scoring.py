"""Words heard against words spoken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["WordScore", "score_words"]


@dataclass(frozen=True, slots=True)
class WordScore:
    """How a heard word sequence differs from the spoken one, by the cheapest (Levenshtein) alignment."""

    spoken: int
    right: int
    substituted: int
    missing: int
    added: int

    @property
    def errors(self) -> int:
        """Substituted, missing and added words."""
        return self.substituted + self.missing + self.added

    @property
    def word_error_rate(self) -> float:
        """Errors over words spoken; with nothing spoken, 0.0 when nothing was heard and 1.0 otherwise."""
        if self.spoken == 0:
            return 1.0 if self.errors else 0.0
        return self.errors / self.spoken

    def __add__(self, other: WordScore) -> WordScore:
        return WordScore(
            self.spoken + other.spoken,
            self.right + other.right,
            self.substituted + other.substituted,
            self.missing + other.missing,
            self.added + other.added,
        )


def score_words(spoken: Sequence[str], heard: Sequence[str]) -> WordScore:
    """Align ``heard`` with ``spoken`` and count what is right, substituted, missing and added."""
    # A row holds, for spoken[:i] against heard[:j], (errors, substituted, missing, added).
    row = [(j, 0, 0, j) for j in range(len(heard) + 1)]
    for i, expected in enumerate(spoken, start=1):
        above, row = row, [(i, 0, i, 0)]
        for j, word in enumerate(heard, start=1):
            errors, substituted, missing, added = above[j - 1]
            if word == expected:
                diagonal = (errors, substituted, missing, added)
            else:
                diagonal = (errors + 1, substituted + 1, missing, added)
            errors, substituted, missing, added = above[j]
            deletion = (errors + 1, substituted, missing + 1, added)
            errors, substituted, missing, added = row[j - 1]
            insertion = (errors + 1, substituted, missing, added + 1)
            row.append(min(diagonal, deletion, insertion))
    _, substituted, missing, added = row[-1]
    return WordScore(len(spoken), len(spoken) - substituted - missing, substituted, missing, added)
