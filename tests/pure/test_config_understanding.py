"""The site file's ``understanding``: what is accepted, and how mistakes are told with their line."""

from __future__ import annotations

from pathlib import Path

from hotline.config.loading import load_site
from hotline.config.understanding import rules_of, shipped_rules
from tests.pure.test_config_alerts import SITE, told


def test_a_site_extends_the_rules(tmp_path: Path) -> None:
    """Own topics, more phrases, an endpoint with its key in the environment."""
    file = tmp_path / "site.yaml"
    file.write_text(
        SITE
        + """\
understanding:
  topics: [{name: 供水, strong: [水龙头], lines: {"12345": 0.5}}, {name: 轨道, phrases: [盾构…震]}]
  urgent: [龙舟翻了]
  without: [爆炸]
  model: {url: "https://model.example/v1/", name: qwen, key: {env: MODEL_KEY}, timeout_seconds: 5}
""",
        encoding="utf-8",
    )
    section = load_site(file, {}).understanding
    rules = rules_of(section)
    water = next(topic for topic in rules.topics if topic.name == "供水")
    assert "水龙头" in water.strong and "停水" in water.strong and water.lines == {"12345": 0.5}
    assert "龙舟翻了" in rules.urgent and "爆炸" not in rules.urgent and "爆炸" in shipped_rules().urgent
    assert section.model is not None and section.model.url == "https://model.example/v1"


def test_mistakes_are_told_with_their_place(tmp_path: Path) -> None:
    """A line that is not there, a phrase that is none, what no rule holds, words sent in the open."""
    problems = told(
        tmp_path,
        """\
        understanding:
          topics:
            - {name: 供水, lines: {"99999": 1}}
          urgent: [火]
          without: [水电费用啊]
          model: {url: "http://model.example/v1", name: m, key: {}}
        """,
    )
    lines = [line for line, _ in problems]
    text = "\n".join(words for _, words in problems)
    assert 'there is no line "99999"' in text and "warning: understanding.without[0]" in text
    assert "what callers say can be read on the way" in text and "understanding.urgent[0]" in text
    assert "say where the key is kept: env or file" in text and set(lines) == {2, 3, 4, 5}
