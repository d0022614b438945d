"""Which fields a line's work orders have, and whose they are."""

from __future__ import annotations

from hotline.config import samples
from hotline.config.loading import load_site
from hotline.config.orders import handling_unit, order_fields
from hotline.core.drafts import OrderField

FULL = load_site(samples.path("full"), {})


def test_sub_lines_of_12315_ask_what_12315_does() -> None:
    """By the catalogue and the tree of lines, without a word in the site file."""
    for line in ("12315", "12358", "12365-1", "market"):
        assert order_fields(FULL, FULL.line(line)) == tuple(OrderField)
    for line in ("12345", "12333", "psychology"):
        assert order_fields(FULL, FULL.line(line)) == ()


def test_the_site_may_say_otherwise() -> None:
    """Its own list counts, also an empty one."""
    changed = FULL.line("12358").model_copy(update={"order_fields": (OrderField.PRICE,)})
    assert order_fields(FULL, changed) == (OrderField.PRICE,)
    assert order_fields(FULL, changed.model_copy(update={"order_fields": ()})) == ()


def test_the_unit_is_the_lines_or_its_parents() -> None:
    """Sub-lines belong to the bureau of the line above."""
    assert handling_unit(FULL, FULL.line("12333")) == "人力资源和社会保障局"
    assert handling_unit(FULL, FULL.line("12358")) == "市场监督管理局"
