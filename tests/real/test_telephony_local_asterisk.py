"""Starting, finding again and stopping an Asterisk of our own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from pathlib import Path

import psutil
import pytest

from hotline.config.schema import Site
from hotline.core.errors import PeerError, SetupError
from hotline.server.doctor import examine
from hotline.telephony.asterisk_config.places import run_dir_of
from hotline.telephony.asterisk_config.write import managed_files
from hotline.telephony.asterisk_ports import ports_of
from hotline.telephony.asterisk_program import AsteriskProgram, cached_root, find_asterisk
from hotline.telephony.local_asterisk import LocalAsterisk
from tests.fixtures.ports import free_port
from tests.real.exchange import Exchange, StartAsterisk, secret_of, site_on_free_ports


def another(exchange: Exchange) -> LocalAsterisk:
    """A second keeper of the same folder, as after our own restart."""
    return LocalAsterisk(
        exchange.local.program,
        run_dir_of(exchange.site),
        lambda places: managed_files(exchange.site, secret_of, places),
        ports_of(exchange.site),
    )


async def test_a_restarted_keeper_finds_the_running_instance(asterisk: Exchange) -> None:
    """After our death the same process is looked after again, its calls untouched, and can be stopped."""
    await asterisk.rx("channel originate Local/12345@hotline-in application Wait 30")
    pid = asterisk.local.pid
    assert pid is not None
    await asterisk.local.leave()
    keeper = another(asterisk)
    await keeper.start()
    assert keeper.adopted
    assert keeper.pid == pid
    written = (keeper.places.log_dir / "queue_log").read_text()
    assert "CONFIGRELOAD" not in written, "while it is reloaded, lines of queue_log are lost"
    assert "2 active channels" in await keeper.rx("core show channels count")
    await keeper.stop()
    assert keeper.pid is None
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


async def test_the_doctor_tells_an_exchange_of_another_name(
    asterisk: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its call ids would not be this node's: said with both names, and nothing else is wrong with it."""
    monkeypatch.setattr("hotline.server.doctor.secrets_of", lambda site: secret_of)
    other = asterisk.site.site.model_copy(update={"node": "elsewhere"})
    told = []
    for site in (asterisk.site, asterisk.site.model_copy(update={"site": other})):
        told += [one async for one in examine(site) if one.subject == "manager"]
    assert [finding.ok for finding in told] == [True, False]
    assert f"systemname is {asterisk.site.site.node}" in told[1].detail and "elsewhere" in told[1].detail


async def test_a_new_configuration_reaches_the_running_instance(
    asterisk: Exchange, start_asterisk: StartAsterisk
) -> None:
    """A start with a changed site reloads what changed; calls go on, and no line of queue_log is lost."""
    site = asterisk.site
    other = site.queues[0].model_copy(update={"max_waiting": 7})
    fewer = site.model_copy(
        update={"lines": site.lines[:1], "menus": (), "queues": (other, *site.queues[1:])}
    )
    await asterisk.local.leave()
    again = await start_asterisk(fewer)
    assert again.local.adopted
    shown = await again.rx("dialplan show 12315@hotline-in")
    assert "hotline-line-12345,s,1" in shown, "12315 is no line of its own any more"
    assert "(max 7)" in await again.rx(f"queue show {other.name}")
    assert "CONFIGRELOAD" not in (again.local.places.log_dir / "queue_log").read_text()


async def test_changed_ports_wait_for_the_last_call(
    asterisk: Exchange, start_asterisk: StartAsterisk
) -> None:
    """A reload moves no port: with calls on the old ones the start is refused, without it begins anew."""
    site = asterisk.site
    moved = site.model_copy(update={"asterisk": site.asterisk.model_copy(update={"sip_port": free_port()})})
    await asterisk.local.leave()
    await asterisk.rx("channel originate Local/12345@hotline-in application Wait 30")
    await asterisk.logged("ENTERQUEUE", "12345")
    with pytest.raises(SetupError, match="with calls on other ports"):
        await start_asterisk(moved)
    await asterisk.rx("channel request hangup all")
    await asterisk.quiet()
    again = await start_asterisk(moved)
    assert not again.local.adopted
    assert str(moved.asterisk.sip_port) in await again.rx("pjsip show transports")


async def test_a_taken_port_is_named_with_its_key(site: Site, start_asterisk: StartAsterisk) -> None:
    """The message says which port, and which key of the site file moves it."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", site.asterisk.ami.port))
        holder.listen()
        with pytest.raises(SetupError) as caught:
            await start_asterisk(site)
    assert str(site.asterisk.ami.port) in str(caught.value)
    assert "asterisk.ami.port" in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_two_side_by_side(site: Site, start_asterisk: StartAsterisk, tmp_path: Path) -> None:
    """Instances of different sites do not meet."""
    one, two = await start_asterisk(site), await start_asterisk(site_on_free_ports(tmp_path / "two"))
    await one.rx("channel originate Local/12345@hotline-in application Wait 30")
    assert "2 active channels" in await one.rx("core show channels count")
    assert "0 active channels" in await two.rx("core show channels count")


async def test_a_broken_configuration_ends_in_one_line(
    asterisk_program: AsteriskProgram, site: Site, tmp_path: Path
) -> None:
    """If Asterisk will not come up, the error says so in one line, names the log, and nothing stays."""
    local = LocalAsterisk(
        asterisk_program, tmp_path / "broken", lambda places: {"modules.conf": "[nothing]\n"}
    )
    with pytest.raises(SetupError) as caught:
        await asyncio.wait_for(local.start(), 40)
    assert "\n" not in str(caught.value)
    assert local.pid is None


async def test_the_console_of_a_dead_instance_is_a_peer_error(asterisk: Exchange) -> None:
    """A killed Asterisk is told apart from one that answers; stopping it afterwards does nothing."""
    pid = asterisk.local.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert await asyncio.wait_for(asterisk.local.wait_ended(), 5) == -signal.SIGKILL
    with pytest.raises(PeerError):
        await asterisk.rx("core show version")
    await asterisk.local.stop()
    await asterisk.local.stop()


async def test_it_starts_again_after_being_killed(asterisk: Exchange) -> None:
    """What a killed instance left behind (socket, pid file) does not hinder the next."""
    pid = asterisk.local.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await asyncio.wait_for(asterisk.local.wait_ended(), 5)
    await asterisk.local.start()
    assert asterisk.local.pid not in (None, pid)
    assert "Asterisk" in await asterisk.rx("core show version")


async def test_a_folder_too_deep_for_a_socket(tmp_path: Path, start_asterisk: StartAsterisk) -> None:
    """A long data_dir works: the control socket moves to a short folder of our own."""
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    exchange = await start_asterisk(site_on_free_ports(deep))
    assert "Asterisk" in await exchange.rx("core show version")
    places = exchange.local.places
    assert len(os.fsencode(places.control_socket)) <= 107
    await exchange.local.stop()
    assert not places.socket_dir.exists()


def test_a_root_without_an_asterisk_is_refused(tmp_path: Path) -> None:
    """A folder that holds none says what to do about it."""
    with pytest.raises(SetupError, match="holds no whole Asterisk"):
        find_asterisk(tmp_path)


def test_the_cache_follows_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The unpacked Asterisk is looked for under XDG_CACHE_HOME."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cached_root().is_relative_to(tmp_path)
