"""Several names in one text: ``|deputies|enterprise|``, so that each can be found between its bars."""

from __future__ import annotations

from collections.abc import Sequence

BAR = "|"


def joined(names: Sequence[str]) -> str:
    """The names as one text; nothing for none."""
    return f"{BAR}{BAR.join(names)}{BAR}" if names else ""


def parted(text: str) -> tuple[str, ...]:
    """The names of such a text."""
    return tuple(text.strip(BAR).split(BAR)) if text else ()
