"""A load of calls while the server is killed: the short form of `bench.kills`."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.kills import Plan, run
from hotline.core.events import Outcome, Source, TalkKind

PLAN = Plan(seconds=20, per_second=5, agents=30, kills=2, seed=3)


@pytest.mark.timeout(200)
async def test_no_call_is_lost_and_no_row_differs_when_the_server_is_killed(tmp_path: Path) -> None:
    """A hundred callers, two kills: each is served or leaves by plan, each row is what Asterisk says."""
    report = await run(PLAN, tmp_path)
    assert (report.calls, report.kills, report.lost) == (100, PLAN.kills, []), report
    assert report.differences == [], report
    assert len(report.stutters) < report.calls / 4, report
    assert report.outcomes.keys() >= {Outcome.ANSWERED, Outcome.SHORT_ABANDON, Outcome.ABANDONED}
    assert report.kinds.keys() >= {TalkKind.QUEUE, TalkKind.TRANSFER, TalkKind.CONSULT}
    assert report.sources[Source.LIVE] and report.sources[Source.QUEUE_LOG], "both had rows to tell of"
