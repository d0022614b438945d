"""``hotline doctor``: what the server needs, a line each, with what to do where something is missing."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
from sqlalchemy.exc import SQLAlchemyError

from hotline.agent_console.deps import WEB_DIST
from hotline.asr.engines import VOSK, EngineOrder, keys_of, orders_of, probe
from hotline.asr.verdicts import Verdicts
from hotline.config.alerting import Webhook
from hotline.config.schema import Site
from hotline.config.secrets import Secrets
from hotline.core.errors import HotlineError
from hotline.metrics.report.writing import try_out
from hotline.metrics.webhook import reachable
from hotline.server.paths import database_url, recording_key, sealing_keys
from hotline.store.database import open_engine, sessions_of
from hotline.store.migrate import upgrade
from hotline.store.recording_archive import RecordingArchive
from hotline.store.recordings import RecordingStore
from hotline.telephony.ami.client import AmiClient, AmiSettings
from hotline.telephony.asterisk_config.places import queue_log_of, raw_recordings_of
from hotline.telephony.asterisk_config.secrets import secrets_of
from hotline.telephony.asterisk_program import find_asterisk

LOW_DISK_BYTES = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's report. ``ok`` None: cannot be told now, and no harm."""

    subject: str
    ok: bool | None
    detail: str


async def examine(site: Site) -> AsyncIterator[Finding]:
    """Look at everything the server needs.

    Changes nothing but data_dir, which it makes and where it notes the model's verdict, and the tables.
    """
    yield _disk(site)
    yield await _database(site)
    if site.asterisk.managed:
        yield _program(site)
    yield await _manager(site)
    yield _queue_log(site)
    if site.records:
        yield _recordings(site)
        yield await recording_keys(site)
    for name, host, port in _ports(site):
        yield await _port(name, host, port)
    for finding in await _engines(site):
        yield finding
    yield _pages()
    if site.reports.schedule:
        yield await _reports(site)
    for hook in site.alerts.webhooks:
        yield await _webhook(site, hook)


def _disk(site: Site) -> Finding:
    try:
        site.data_dir.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(site.data_dir).free
    except OSError as error:
        return Finding(
            "data_dir", False, f"{site.data_dir}: {error.strerror}; set data_dir or HOTLINE_DATA_DIR"
        )
    detail = f"{site.data_dir}, {free / 1024**3:.1f} GiB free"
    return Finding(
        "data_dir", free >= LOW_DISK_BYTES, detail if free >= LOW_DISK_BYTES else f"{detail}: free some"
    )


async def _database(site: Site) -> Finding:
    url = database_url(site, Secrets(site.data_dir))
    engine = open_engine(url)
    try:
        await upgrade(engine)
    except HotlineError as error:
        return Finding("database", False, str(error))
    finally:
        await engine.dispose()
    return Finding("database", True, engine.url.render_as_string(hide_password=True))


async def _reports(site: Site) -> Finding:
    """Whether scheduled reports can be made: one is."""
    formats = sorted({form.value for report in site.reports.schedule for form in report.formats})
    try:
        await asyncio.to_thread(try_out, formats)
    except HotlineError as error:
        return Finding("reports", False, str(error))
    return Finding("reports", True, ", ".join(formats))


def _program(site: Site) -> Finding:
    try:
        found = find_asterisk(site.asterisk.program)
    except HotlineError as error:
        return Finding("asterisk", False, str(error))
    return Finding("asterisk", True, f"{found.version} at {found.command[-1]}")


async def _manager(site: Site) -> Finding:
    ami = site.asterisk.ami
    secret = secrets_of(site)("ami")
    client = AmiClient(AmiSettings(username=ami.user, secret=secret, host=ami.host, port=ami.port))
    running = asyncio.create_task(client.run())
    try:
        await client.wait_connected(3)
        queues = {queue.params.queue for queue in await client.queue_status()}
        name = (await client.action("CoreSettings")).headers.get("SystemName", "")
    except (HotlineError, TimeoutError) as error:
        managed = site.asterisk.managed
        why = client.last_error or error
        hint = (
            "it is started by hotline serve"
            if managed
            else "check asterisk.ami in the site file and manager.conf"
        )
        return Finding(
            "manager", None if managed else False, f"{ami.host}:{ami.port} not reached ({why}); {hint}"
        )
    finally:
        await client.aclose()
        await asyncio.wait({running}, timeout=5)
    missing = sorted({queue.name for queue in site.queues} - queues)
    if missing:
        return Finding(
            "manager", False, f"queues {', '.join(missing)} are unknown: include hotline-queues.conf"
        )
    if name != site.site.node:
        hint = f"set systemname = {site.site.node} in asterisk.conf and restart Asterisk"
        said = f"Asterisk's systemname is {name or 'not set'}, the site's node {site.site.node}"
        return Finding("manager", False, f"{said}: two systems' calls cannot be told apart; {hint}")
    return Finding("manager", True, f"{ami.host}:{ami.port}, {len(queues)} queues")


def _queue_log(site: Site) -> Finding:
    path = queue_log_of(site)
    try:
        size = path.stat().st_size
        path.open("rb").close()
    except FileNotFoundError:
        return Finding("queue_log", None, f"{path} is not there yet")
    except OSError as error:
        return Finding("queue_log", False, f"{path}: {error.strerror}; without it an outage leaves gaps")
    return Finding("queue_log", True, f"{path}, {size} bytes")


def _recordings(site: Site) -> Finding:
    """Whether voices can be read and deleted where Asterisk writes them, and sealed."""
    path = raw_recordings_of(site)
    try:
        recording_key(site, Secrets(site.data_dir))
    except HotlineError as error:
        return Finding("recordings", False, str(error))
    if not path.is_dir():
        return Finding("recordings", None, f"{path} is not there yet")
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        return Finding("recordings", False, f"{path}: this user may not read and delete in it")
    if site.recording.encrypt and path.stat().st_mode & 0o007:
        return Finding("recordings", False, f"{path}: others may read voices there; chmod o-rwx {path}")
    kept = "sealed" if site.recording.encrypt else "plain"
    return Finding("recordings", True, f"{path}, kept {kept} for {site.recording.keep_days} days")


async def recording_keys(site: Site) -> Finding:
    """Whether the recordings that are sealed can be opened again."""
    secrets = Secrets(site.data_dir)
    engine = open_engine(database_url(site, secrets))
    try:
        store = RecordingStore(sessions_of(engine))
        lost = await RecordingArchive(store, site.data_dir, lambda: sealing_keys(site, secrets)).unreadable()
    except (HotlineError, SQLAlchemyError) as error:
        return Finding("recording.key", False, str(error))
    finally:
        await engine.dispose()
    return Finding("recording.key", not lost, lost or "opens every sealed recording")


def _ports(site: Site) -> list[tuple[str, str, int]]:
    return [
        ("web.port", site.web.host, site.web.port),
        ("metrics.port", site.metrics.host, site.metrics.port),
        ("fastagi.port", site.fastagi.host, site.fastagi.port),
        ("asr.audiosocket.port", site.asr.audiosocket.host, site.asr.audiosocket.port),
    ]


async def _port(name: str, host: str, port: int) -> Finding:
    try:
        server = await asyncio.start_server(lambda _reader, writer: writer.close(), host, port)
    except OSError as error:
        return Finding(name, None, f"{host}:{port} is in use ({error.strerror}): by this server, if it runs")
    server.close()
    await server.wait_closed()
    return Finding(name, True, f"{host}:{port} is free")


async def _engines(site: Site) -> list[Finding]:
    """Whether each recogniser answers; all are asked at once."""
    if not site.asr.enabled:
        return [Finding("model", None, "asr.enabled is false")]
    try:
        keys = keys_of(site)
    except HotlineError as error:
        return [Finding("asr.engines", False, str(error))]
    verdicts = Verdicts(site.data_dir)
    return await asyncio.gather(*(_engine(order, keys, verdicts) for order in orders_of(site)))


async def _engine(order: EngineOrder, keys: Mapping[str, str], verdicts: Verdicts) -> Finding:
    subject = f"engine {order.name}" if order.name else "model"
    try:
        if order.kind == VOSK:  # the start may rely on what is seen now
            detail = str(await asyncio.to_thread(verdicts.of, Path(order.model), anew=True))
        else:
            detail = await asyncio.to_thread(probe, order, keys.get(order.name, ""))
    except HotlineError as error:
        return Finding(subject, False, str(error))
    return Finding(subject, True, detail)


async def _webhook(site: Site, hook: Webhook) -> Finding:
    subject = f"webhook {hook.name}"
    try:
        status = await reachable(hook, Secrets(site.data_dir))
    except HotlineError as error:
        return Finding(subject, False, str(error))
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        hint = "check its url, the network and SSL_CERT_FILE or HTTPS_PROXY"
        return Finding(subject, False, f"not reached ({type(error).__name__}); {hint}")
    return Finding(subject, True, f"answers with status {status}")


def _pages() -> Finding:
    if (WEB_DIST / "index.html").is_file():
        return Finding("pages", True, "built")
    return Finding("pages", False, "not built: run make web in the source tree")
