"""The Grafana dashboard: the file is what the code says, and every panel can be read."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

from hotline.metrics.grafana.dashboard import COLUMNS, as_json, dashboard

HINT = "python -m hotline.metrics.grafana.dashboard > metrics/grafana/hotline.json"


def drawn() -> list[dict[str, Any]]:
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def test_the_file_is_what_the_code_says() -> None:
    """Whoever changes one writes the other anew."""
    text = files("hotline.metrics").joinpath("grafana/hotline.json").read_text(encoding="utf-8")
    assert text == as_json(), HINT
    assert json.loads(text)["uid"] == "hotline12345"


def test_every_panel_has_a_chinese_title_of_its_own_a_unit_and_something_to_show() -> None:
    """Headings, too, have a title."""
    titles = [panel["title"] for panel in dashboard()["panels"]]
    assert len(titles) == len(set(titles)) > 20
    assert all(re.search("[一-鿿]", title) for title in titles)
    for panel in drawn():
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert all(target["expr"] for target in panel["targets"]) and panel["targets"], panel["title"]
        several = panel["type"] != "stat"
        assert all(bool(target["legendFormat"]) == several for target in panel["targets"]), panel["title"]


def test_panels_lie_side_by_side_and_never_on_one_another() -> None:
    """On Grafana's grid of twenty-four columns."""
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= COLUMNS
        cells = {
            (place["x"] + column, place["y"] + line)
            for column in range(place["w"])
            for line in range(place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
