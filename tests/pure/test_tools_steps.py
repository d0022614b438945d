"""The set-up's small parts: stamps, and the one line that says why a step failed."""

from __future__ import annotations

from pathlib import Path

import pytest
import steps


def test_a_stamp_tells_parts_apart() -> None:
    """Text moved from one part to the next is another stamp."""
    assert steps.stamp_of("ab", "c") != steps.stamp_of("a", "bc")
    assert steps.stamp_of("ab", "c") == steps.stamp_of("ab", "c")


@pytest.mark.parametrize(
    "said",
    [
        "E: Failed to fetch: Temporary failure resolving 'mirror.example'",
        "WARNING: Retrying after connection broken by 'NewConnectionError(...)'",
        "npm error code ENOTFOUND",
        "npm error code EAI_AGAIN",
    ],
)
def test_a_missing_network_is_called_so(said: str) -> None:
    """Whichever tool failed, the reason is the network and what to do about it."""
    assert steps.reason(f"something\n{said}\nmore") == (
        "no network — connect this machine to its package mirrors and run the same command again"
    )


def test_otherwise_the_last_error_line_is_the_reason() -> None:
    """Without colours, and on one line."""
    said = "Reading lists\n\x1b[31mE: Unable to locate package nosuch\x1b[0m\ndone\n"
    assert steps.reason(said) == "E: Unable to locate package nosuch"
    assert steps.reason("") == "it said nothing"


def test_a_tree_s_stamp_follows_its_files(tmp_path: Path) -> None:
    """A changed or renamed file makes the step run again; one in a left-out folder does not."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.ts").write_text("1")
    (tmp_path / "node_modules").mkdir()
    before = steps.stamp_of_tree(tmp_path, skip=["node_modules"])
    (tmp_path / "node_modules" / "b.js").write_text("2")
    assert steps.stamp_of_tree(tmp_path, skip=["node_modules"]) == before
    (tmp_path / "src" / "a.ts").rename(tmp_path / "src" / "b.ts")
    assert steps.stamp_of_tree(tmp_path, skip=["node_modules"]) != before
