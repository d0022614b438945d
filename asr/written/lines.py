"""Who writes the texts of which line."""

from __future__ import annotations

from hotline.asr.written.writer import Writer
from hotline.config.line_wording import corrections_of
from hotline.config.schema import Site


class LineWriters:
    """The writers of a site's lines, each made when it is first asked for."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._writers: dict[str, Writer] = {}

    def of(self, line: str) -> Writer:
        """The writer of a line's texts; the site's for a line that is not in the site file."""
        known = next((one for one in self._site.lines if one.id == line), None)
        name = "" if known is None else known.id
        if name not in self._writers:
            self._writers[name] = Writer(corrections_of(self._site, known))
        return self._writers[name]
