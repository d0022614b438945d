"""Sample sites: ``demo`` (small: what ``hotline demo`` runs) and ``full`` (a whole city)."""

from __future__ import annotations

from pathlib import Path

NAMES = ("demo", "full")


def path(name: str) -> Path:
    """Return the file of a sample site, in a checkout as in an installed package.

    Raises:
        KeyError: if there is no such sample.
    """
    if name not in NAMES:
        raise KeyError(name)
    return Path(__file__).with_name(f"{name}.yaml")
