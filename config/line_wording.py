"""A line's corrections and keywords: its own, those of the lines above it, and the whole site's."""

from __future__ import annotations

from hotline.config.schema import Line, Site


def corrections_of(site: Site, line: Line | None) -> dict[str, str]:
    """What is heard -> what is meant. The nearest list holds: the line's, its parent's, the site's."""
    lists = [site.asr.corrections]
    if line is not None:
        lists += [one.corrections for one in reversed(list(site.upward(line)))]
    return {entry.heard: entry.meant for entries in lists for entry in entries}


def keywords_of(site: Site, line: Line) -> list[str]:
    """The words to mark in the line's texts, each once."""
    lists = [site.asr.keywords, *(one.keywords for one in site.upward(line))]
    return list(dict.fromkeys(word for words in lists for word in words))
