"""The generated configuration in the real Asterisk: it loads clean, and every call reaches a queue."""

from __future__ import annotations

from hotline.config.schema import Queue, Recorded, RecordingSection, Site
from hotline.core.events import Side
from hotline.telephony.asterisk_config.places import raw_recordings_of
from hotline.telephony.asterisk_config.recording import RawName
from tests.real.exchange import Exchange, StartAsterisk


async def test_loads_without_a_warning(asterisk: Exchange) -> None:
    """Asterisk has nothing to say against any generated file."""
    assert asterisk.messages() == []
    console = (asterisk.local.places.log_dir / "console").read_text()
    assert "Unable" not in console and "ERROR" not in console


async def test_every_number_leads_to_its_line(asterisk: Exchange) -> None:
    """The loaded dialplan has each line's number, and takes any other as 12345."""
    for did in ("12345", "12315", "12333"):
        assert f"hotline-line-{did},s,1" in await asterisk.rx(f"dialplan show {did}@hotline-in")
    assert "hotline-line-12345,s,1" in await asterisk.rx("dialplan show 99999@hotline-in")


async def test_secrets_and_rights_arrive_as_meant(asterisk: Exchange) -> None:
    """A password with a semicolon is read back whole, and the server's account has its rights and no more."""
    auth = await asterisk.rx("pjsip show auth 8001")
    assert "agent-zhang;secret" in auth
    user = await asterisk.rx("manager show user hotline")
    assert "command" not in user.split("read perm:")[1].splitlines()[0]
    assert "originate" in user.split("write perm:")[1].splitlines()[0]


async def test_a_line_without_menu_waits_in_its_queue_with_no_server(asterisk: Exchange) -> None:
    """A call to 12345 joins the queue although nothing of ours runs, and queue_log tells line and number."""
    await asterisk.rx("channel originate Local/12345@hotline-in application Wait 5")
    await asterisk.logged("ENTERQUEUE", "12345")
    trace = await asterisk.logged("HOTLINE", "12345")
    assert trace[3] == "NONE"
    assert trace[5:7] == ["12345", "12345"]
    assert trace[7].startswith("node1-"), "the linkedid carries the node's name"
    assert trace[9] == "zh-CN", "what the line's callers speak"


async def test_menu_server_refused_leads_to_the_queue(asterisk: Exchange) -> None:
    """With nobody at the menu server's port a caller still waits in the line's own queue."""
    await asterisk.rx("channel originate Local/12315@hotline-in application Wait 20")
    await asterisk.logged("ENTERQUEUE", "12315")


async def test_a_digit_in_the_fallback_chooses_the_line(asterisk: Exchange) -> None:
    """With the menu server gone, key 2 of the fallback leads to 12333 and the path says so."""
    await asterisk.rx("channel originate Local/12315@hotline-in application SendDTMF w2wwwwwwww")
    await asterisk.logged("ENTERQUEUE", "12333")
    trace = await asterisk.logged("HOTLINE", "12333")
    assert trace[5:9] == ["12333", "12315", trace[7], "main.2"]


async def test_an_unknown_queue_from_the_menu_server_is_still_a_queue(asterisk: Exchange) -> None:
    """Whatever the menu server puts into HOTLINE_QUEUE, the caller waits somewhere: with 12345."""
    await asterisk.rx("dialplan add extension 1,1,Set,HOTLINE_QUEUE=nosuch into tests")
    await asterisk.rx("dialplan add extension 1,2,Set,HOTLINE_LINE=12315 into tests")
    await asterisk.rx("dialplan add extension 1,3,Goto,hotline-queue,s,1 into tests")
    await asterisk.rx("channel originate Local/1@tests application Wait 20")
    await asterisk.logged("ENTERQUEUE", "12345")


async def test_a_full_queue_keeps_its_caller(start_asterisk: StartAsterisk, site: Site) -> None:
    """A caller who finds the queue full overflows to another, and queue_log says FULL."""
    small = (
        Queue(name="12345", title="综合", max_waiting=1, overflow="12333"),
        Queue(name="12315", title="市场监管"),
        Queue(name="12333", title="人社"),
    )
    exchange = await start_asterisk(site.model_copy(update={"queues": small}))
    await exchange.rx("channel originate Local/12345@hotline-in application Wait 20")
    await exchange.logged("ENTERQUEUE", "12345")
    await exchange.rx("channel originate Local/12345@hotline-in application Wait 20")
    assert (await exchange.logged("HOTLINEEXIT", "12345"))[5] == "FULL"
    await exchange.logged("ENTERQUEUE", "12333")


async def test_priority_is_the_chosen_lines(asterisk: Exchange) -> None:
    """A caller of a line with priority 5 stands before one who came earlier without."""
    await asterisk.rx("channel originate Local/12333@hotline-in application SendDTMF w1wwwwwwwwwwwwww")
    await asterisk.logged("ENTERQUEUE", "12315")
    assert "prio: 5" in await asterisk.rx("queue show 12315")


async def test_who_is_recorded(start_asterisk: StartAsterisk, site: Site) -> None:
    """By notice: a line's caller who heard the notice is recorded, one of a line that is off is not."""
    lines = tuple(
        line.model_copy(update={"recording": Recorded.OFF, "menu": None}) if line.id == "12333" else line
        for line in site.lines
    )
    recording = RecordingSection(lines=Recorded.BY_NOTICE)
    recorded = site.model_copy(update={"lines": lines, "recording": recording, "notice": "main"})
    exchange = await start_asterisk(recorded)
    for did in ("12333", "12345"):
        await exchange.rx(f"channel originate Local/{did}@hotline-in application Wait 20")
        await exchange.logged("ENTERQUEUE", did)
    told = await exchange.logged("HOTLINE", "12345")
    names = [RawName.parse(path.name) for path in raw_recordings_of(recorded).iterdir()]
    assert [(name.call_id, name.side) for name in names if name] == [(told[7], Side.CALLER)]
    assert exchange.messages() == []


async def test_a_notice_that_cannot_be_played_records_nobody(
    start_asterisk: StartAsterisk, site: Site
) -> None:
    """By notice means that the caller has heard it: with its sound missing the call goes on unrecorded."""
    recording = RecordingSection(lines=Recorded.BY_NOTICE)
    exchange = await start_asterisk(site.model_copy(update={"recording": recording, "notice": "lost"}))
    await exchange.rx("channel originate Local/12345@hotline-in application Wait 20")
    await exchange.logged("ENTERQUEUE", "12345")
    assert not any(raw_recordings_of(exchange.site).glob("*"))
