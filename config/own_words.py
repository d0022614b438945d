"""The words of this hotline: what its lines and the country's special lines are called, and are about."""

from __future__ import annotations

import re
from typing import Final

from hotline.config.catalogue import catalogue
from hotline.config.schema import Site

_BETWEEN: Final = re.compile(r"[、，；和与及的]")


def own_words(site: Site) -> frozenset[str]:
    """Names of lines, queues and bureaus, and what people call them about."""
    found: set[str] = set()
    for line in site.lines:
        found |= {line.name, line.unit or ""}
    found |= {queue.title for queue in site.queues}
    for known in catalogue():
        found |= {known.name, known.unit, known.formerly or "", *_BETWEEN.split(known.about)}
    return frozenset(found - {""})
