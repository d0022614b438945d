"""``hotline doctor`` on webhooks (one answers, one does not, one's key is missing) and on lost keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotline.config.alerting import AlertsSection, Webhook
from hotline.config.schema import (
    AmiSection,
    AsrSection,
    AsteriskSection,
    AudioSocketSection,
    FastAgiSection,
    Line,
    MetricsSection,
    Queue,
    Site,
    WebSection,
)
from hotline.config.section import SecretRef
from hotline.server.doctor import examine, recording_keys
from tests.fixtures.ports import free_port
from tests.fixtures.receiver import answer, receiving
from tests.fixtures.recordings import archive_in


async def test_a_lost_key_of_recordings_has_a_line(tmp_path: Path) -> None:
    """How many recordings none of the site's keys opens; well again once the old key is named."""
    lost = "a key whose file was lost, of enough characters"
    async with archive_in(tmp_path, encrypt=True) as archive:
        archive.record()
        await archive.keeper(lost).sweep()
        found = await recording_keys(archive.site)
        assert found.ok is False and found.detail.startswith("1 recordings") and "old_keys" in found.detail
        (tmp_path / "old").write_text(lost)
        (tmp_path / "old").chmod(0o600)
        old_keys = (SecretRef(file=tmp_path / "old"),)
        section = archive.site.recording.model_copy(update={"old_keys": old_keys})
        assert (await recording_keys(archive.site.model_copy(update={"recording": section}))).ok


async def test_each_webhook_has_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its server answers, it is there; the others say what is missing, and none its address."""
    monkeypatch.setenv("NO_PROXY", "*")
    async with receiving(then=answer(405)) as receiver:
        site = Site(
            data_dir=tmp_path,
            asterisk=AsteriskSection(ami=AmiSection(port=free_port())),
            asr=AsrSection(enabled=False, audiosocket=AudioSocketSection(port=free_port())),
            web=WebSection(port=free_port()),
            metrics=MetricsSection(port=free_port()),
            fastagi=FastAgiSection(port=free_port()),
            lines=(Line(id="12345", name="热线"),),
            queues=(Queue(name="12345", title="综合"),),
            alerts=AlertsSection(
                webhooks=(
                    Webhook(name="there", url=receiver.url),
                    Webhook(name="gone", url=f"http://127.0.0.1:{free_port()}/5ecre7"),
                    Webhook(name="keyless", url="http://127.0.0.1/{key}", key=SecretRef(env="NOT_SET")),
                )
            ),
        )
        found = {one.subject: one async for one in examine(site) if one.subject.startswith("webhook")}
    assert [one.ok for one in found.values()] == [True, False, False]
    assert "405" in found["webhook there"].detail
    assert "not reached" in found["webhook gone"].detail and "5ecre7" not in found["webhook gone"].detail
    assert "NOT_SET" in found["webhook keyless"].detail
