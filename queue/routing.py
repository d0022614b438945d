"""What the queue room asks of the site file: whose queue is it, what did the keys mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hotline.config.menu_path import titles
from hotline.config.schema import Site


@dataclass(frozen=True, slots=True)
class Routing:
    """Look-ups from the exchange's names to the site's."""

    line_of_queue: Callable[[str], str]
    menu_titles: Callable[[str], tuple[str, ...]]

    @classmethod
    def of_site(cls, site: Site) -> Routing:
        """For a site. A queue of several lines counts to the first naming it, when no trace says which."""
        first: dict[str, str] = {}
        for line in site.lines:
            first.setdefault(line.queue_name, line.id)
        return cls(lambda queue: first.get(queue, queue), lambda token: titles(site, token))
