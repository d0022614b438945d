"""``hotline doctor`` on webhooks, on recordings and on lost keys: what is there, and what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hotline.config.alerting import AlertsSection, Webhook
from hotline.config.engines import EngineKind, EngineSection
from hotline.config.schema import (
    AmiSection,
    AsrSection,
    AsteriskSection,
    AudioSocketSection,
    FastAgiSection,
    Line,
    MetricsSection,
    Queue,
    Recorded,
    RecordingSection,
    Site,
    WebSection,
)
from hotline.config.section import SecretRef
from hotline.server.doctor import Finding, examine, recording_keys
from tests.fixtures.engine_peers import vosk_server_peer
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


def small_site(folder: Path, **sections: Any) -> Site:
    """A site on ports that nobody else has."""
    return Site(
        data_dir=folder,
        asterisk=AsteriskSection(ami=AmiSection(port=free_port())),
        asr=AsrSection(enabled=False, audiosocket=AudioSocketSection(port=free_port())),
        web=WebSection(port=free_port()),
        metrics=MetricsSection(port=free_port()),
        fastagi=FastAgiSection(port=free_port()),
        lines=(Line(id="12345", name="热线"),),
        queues=(Queue(name="12345", title="综合"),),
        **sections,
    )


async def test_the_model_is_tried_and_a_broken_one_has_a_line(tmp_path: Path) -> None:
    """What a good one costs; what is wrong with another, and what to do."""
    site = small_site(tmp_path)

    async def of_model(model: Path | None) -> Finding:
        section = site.asr.model_copy(update={"enabled": True, "model": model})
        asked = site.model_copy(update={"asr": section})
        (found,) = [one async for one in examine(asked) if one.subject == "model"]
        return found

    good = await of_model(None)
    assert good.ok and "8000 Hz" in good.detail and "words" in good.detail
    (tmp_path / "vosk-model-cn-0.22.zip").write_bytes(b"PK")
    zipped = await of_model(tmp_path / "vosk-model-cn-0.22.zip")
    assert zipped.ok is False and "hotline asr pull vosk-model-cn-0.22 --archive" in zipped.detail


async def of_recordings(site: Site) -> Finding:
    """The line on recordings."""
    (found,) = [one async for one in examine(site) if one.subject == "recordings"]
    return found


async def test_recordings_are_looked_at_where_asterisk_writes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No folder yet, one that all may read, a good one, one not ours, no key, and no recording at all."""
    raw = tmp_path / "raw"
    section = RecordingSection(lines=Recorded.ON, raw_dir=raw, encrypt=True, keep_days=90)
    site = small_site(tmp_path, recording=section)
    missing = await of_recordings(site)
    assert missing.ok is None and str(raw) in missing.detail
    raw.mkdir()
    raw.chmod(0o755)
    open_to_all = await of_recordings(site)
    assert open_to_all.ok is False and f"chmod o-rwx {raw}" in open_to_all.detail
    raw.chmod(0o750)
    there = await of_recordings(site)
    assert there.ok is True and "sealed for 90 days" in there.detail
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != raw)
    foreign = await of_recordings(site)
    assert foreign.ok is False and "may not read and delete" in foreign.detail
    keyless = section.model_copy(update={"key": SecretRef(env="NOT_SET")})
    unsealed = await of_recordings(small_site(tmp_path, recording=keyless))
    assert unsealed.ok is False and "NOT_SET" in unsealed.detail
    assert "recordings" not in [one.subject async for one in examine(small_site(tmp_path))]


async def test_each_webhook_has_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its server answers, it is there; the others say what is missing, and none its address."""
    monkeypatch.setenv("NO_PROXY", "*")
    async with receiving(then=answer(405)) as receiver:
        site = small_site(
            tmp_path,
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


async def test_each_engine_has_a_line(tmp_path: Path) -> None:
    """Whether it answers; one that does not is told by its host, without what else its address holds."""
    kind = EngineKind.VOSK_SERVER
    with vosk_server_peer() as peer:
        engines = (
            EngineSection(name="there", kind=kind, url=peer.url),
            EngineSection(name="gone", kind=kind, url=f"ws://127.0.0.1:{free_port()}/?token=5ecre7"),
        )
        site = small_site(tmp_path)
        asr = site.asr.model_copy(update={"enabled": True, "engines": engines})
        all_lines = [one async for one in examine(site.model_copy(update={"asr": asr}))]
    found = {one.subject: one for one in all_lines if one.subject.startswith("engine")}
    assert (found["engine there"].ok, found["engine gone"].ok) == (True, False)
    assert "answers in" in found["engine there"].detail
    assert "cannot be reached" in found["engine gone"].detail
    assert "5ecre7" not in found["engine gone"].detail
