"""What work orders of a line ask for beyond what all do, and who usually handles them."""

from __future__ import annotations

from collections.abc import Iterator

from hotline.config.catalogue import known_line
from hotline.config.schema import Line, Site
from hotline.core.drafts import OrderField


def order_fields(site: Site, line: Line) -> tuple[OrderField, ...]:
    """The further fields of a line's orders: its own, its number's in the catalogue, or its parent's."""
    for one in upward(site, line):
        if one.order_fields is not None:
            return one.order_fields
        known = known_line(one.number) if one.number else None
        if known is not None and known.order_fields:
            return known.order_fields
    return ()


def handling_unit(site: Site, line: Line) -> str:
    """The bureau of a line, or of the line that it belongs to; empty if none is named."""
    return next((one.unit for one in upward(site, line) if one.unit), "")


def upward(site: Site, line: Line) -> Iterator[Line]:
    """A line and the headings above it; ``hotline check`` has refused circles."""
    yield line
    while line.parent is not None:
        line = site.line(line.parent)
        yield line
