"""The generated Asterisk files, from a site alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from hotline.config.menus import Choice, Menu, Prompt
from hotline.config.schema import (
    Agent,
    AsteriskSection,
    Hours,
    Line,
    OutsideNumber,
    Queue,
    QueueKey,
    Recorded,
    RecordingSection,
    Site,
    SiteSection,
    TransferSection,
    TrunkSection,
)
from hotline.core.control import SuperviseVerb
from hotline.core.errors import UsageError
from hotline.telephony.asterisk_config import text
from hotline.telephony.asterisk_config.dialplan import extensions_conf
from hotline.telephony.asterisk_config.places import Places
from hotline.telephony.asterisk_config.prompts import static_prompts
from hotline.telephony.asterisk_config.queues import queues_conf
from hotline.telephony.asterisk_config.recording import RawName
from hotline.telephony.asterisk_config.supervision import SpyState
from hotline.telephony.asterisk_config.write import included_files, managed_files

HOSTILE = 'a"b;c,d)\\n[evil] ${SHELL(id)} => 张'


def small_site(**changes: object) -> Site:
    """Two lines, one with a menu, two queues, one agent; every free text is hostile."""
    parts: dict[str, object] = {
        "site": SiteSection(name=HOSTILE),
        "notice": "notice",
        "lines": (
            Line(id="12345", name=HOSTILE, number="12345", dids=("12345",)),
            Line(
                id="12315", name="市场监管", number="12315", dids=("12315", "96315"), menu="main", priority=7
            ),
        ),
        "queues": (
            Queue(name="12345", title=HOSTILE),
            Queue(
                name="12315", title="市场监管", max_wait_seconds=90, overflow="12345", announce_position=True
            ),
        ),
        "agents": (Agent(id="zhang", name=HOSTILE, extension="8001", skills={"12345": 1}),),
        "menus": (
            Menu(
                name="main",
                prompt="main",
                choices=(
                    Choice(key="1", title="消费维权", line="12315"),
                    Choice(key="2", title="综合", queue="12345"),
                    Choice(key="3", title="通知", say="notice"),
                    Choice(key="0", title="人工", operator=True),
                ),
            ),
        ),
        "prompts": (Prompt(name="main", text=HOSTILE), Prompt(name="notice", text="通话将被录音。")),
    }
    return Site.model_validate({**parts, **changes})


def secret(name: str) -> str:
    """A secret with what Asterisk's files must escape."""
    return f"{name};#=\\"


PLACES = Places(Path("/srv/hotline/asterisk"), Path("/usr/lib/asterisk/modules"), Path("/usr/share/asterisk"))


def context(document: str, name: str) -> list[str]:
    """The lines of one context of a dialplan."""
    body = document.split(f"\n[{name}]\n")[1]
    return [line.strip() for line in re.split(r"\n(?:\[|;)", body)[0].splitlines() if line.strip()]


def test_same_site_same_files() -> None:
    """Generating twice gives the same text: no dates, no random order."""
    site = small_site()
    assert managed_files(site, secret, PLACES) == managed_files(site, secret, PLACES)


def test_every_file_says_how_it_came_about() -> None:
    """Whoever opens a file reads that it is generated and where to change things."""
    for name, written in managed_files(small_site(), secret, PLACES).items():
        assert written.startswith(f"; {name}: made by"), name
        assert "Change the site file" in written.splitlines()[1]


def test_human_text_never_reaches_asterisk() -> None:
    """Titles, names and prompts of the site appear in no file, so they can do nothing there."""
    for name, written in {
        **managed_files(small_site(), secret, PLACES),
        **included_files(small_site(), secret),
    }.items():
        assert "evil" not in written, name
        assert "SHELL" not in written, name
        assert "消费维权" not in written, name


def test_number_leads_to_its_line_and_the_rest_to_12345() -> None:
    """Each DID is named with the number the site gives it; any other is taken as 12345's."""
    entry = context(extensions_conf(small_site()), "hotline-in")
    at = entry.index("exten => 96315,1,Set(HOTLINE_DID=96315)")
    assert entry[at + 1] == "same => n,Goto(hotline-line-12315,s,1)"
    at = entry.index("exten => _X.,1,Set(HOTLINE_DID=12345)")
    assert entry[at + 1] == "same => n,Goto(hotline-line-12345,s,1)"


def test_line_without_menu_goes_straight_to_its_queue() -> None:
    """Depth 0: no AGI at all between the notice and the queue."""
    line = context(extensions_conf(small_site()), "hotline-line-12345")
    assert line[-3:] == [
        "same => n(open),Set(HOTLINE_LINE=12345)",
        "same => n,Set(HOTLINE_QUEUE=12345)",
        "same => n,Goto(hotline-queue,s,1)",
    ]
    assert not any("AGI(" in row for row in line)
    assert "same => n,Playback(hotline/notice)" in line


def test_menu_is_timed_and_only_its_result_is_trusted() -> None:
    """The menu server has 90 s, a hung one ends in T, and AGISTATUS is read nowhere."""
    document = extensions_conf(small_site())
    line = context(document, "hotline-line-12315")
    agi = next(index for index, row in enumerate(line) if "AGI(agi://" in row)
    assert line[agi] == "same => n,AGI(agi://127.0.0.1:4573/menu?line=12315&menu=main)"
    assert line[agi - 1] == "same => n,Set(TIMEOUT(absolute)=90)"
    assert line[agi + 1] == "same => n,Set(TIMEOUT(absolute)=0)"
    assert line[-1] == "exten => T,1,Goto(s,failed)"
    assert "same => n,Set(AGIEXITONHANGUP=yes)" in line
    assert "${AGISTATUS}" not in document


def test_fallback_offers_the_menus_direct_choices() -> None:
    """Keys of a line or queue work without the menu server; announcements and the operator's do not."""
    keys = context(extensions_conf(small_site()), "hotline-fallback-main")
    assert [row for row in keys if row.startswith("exten")] == [
        "exten => s,1,Read(HOTLINE_KEY,hotline/_fallback_main,1,,1,5)",
        "exten => 1,1,Set(HOTLINE_LINE=12315)",
        "exten => 2,1,Set(HOTLINE_QUEUE=12345)",
    ]
    said = static_prompts(small_site())["hotline/_fallback_main"]
    assert said.startswith("消费维权请按1，综合请按2，其他诉求请稍候")


def test_the_callers_language_is_set_by_line_and_key_and_told_before_the_wait() -> None:
    """The line's, then the key's also without the menu server; into the event and last into queue_log."""
    site = small_site(site=SiteSection(language="zh-CN"))
    choices = (Choice(key="8", title="English", queue="12345", language="en"), *site.menus[0].choices)
    lines = (site.lines[0].model_copy(update={"language": "yue"}), site.lines[1])
    menus = (site.menus[0].model_copy(update={"choices": choices}),)
    document = extensions_conf(site.model_copy(update={"lines": lines, "menus": menus}))
    assert "same => n,Set(HOTLINE_LANGUAGE=yue)" in context(document, "hotline-line-12345")
    assert "same => n,Set(HOTLINE_LANGUAGE=zh-CN)" in context(document, "hotline-line-12315")
    keys = context(document, "hotline-fallback-main")
    assert keys.index("same => n,Set(HOTLINE_LANGUAGE=en)") > keys.index(
        "exten => 8,1,Set(HOTLINE_QUEUE=12345)"
    )
    told = [row for row in context(document, "hotline-queue") if "${HOTLINE_LANGUAGE}" in row]
    assert len(told) == 3 and told[0].startswith("same => n,Set(__HOTLINE_LANGUAGE=${FILTER(A-Za-z0-9\\-,")
    assert told[1].endswith("|${HOTLINE_PATH}|${HOTLINE_LANGUAGE})") and "QueueLog(" in told[1]
    assert told[2].endswith(",Spoken: ${HOTLINE_LANGUAGE})") and "UserEvent(HotlineQueue," in told[2]


def test_keys_of_those_who_wait() -> None:
    """The queue names the context of its keys, and its announcement says what they do."""
    keys = (QueueKey(key="1", callback=True), QueueKey(key="2", queue="12345"))
    queues = (Queue(name="12345", title="综合坐席"), Queue(name="12315", title="市场监管", keys=keys))
    site = small_site(queues=queues)
    waits = queues_conf(site)
    assert "context = hotline-keys-12315" in waits and "hotline-keys-12345" not in waits
    assert "periodic-announce = hotline/_keys_12315" in waits
    said = static_prompts(site)
    assert said["hotline/_keys_12315"] == "感谢您的耐心等候，需要坐席稍后给您回电请按1，转综合坐席请按2。"
    assert "hotline/_callback_promised" in said
    document = extensions_conf(site)
    keyed = context(document, "hotline-keys-12315")
    assert "exten => 2,1,QueueLog(12315,${UNIQUEID},NONE,HOTLINEEXIT,KEY)" in keyed
    assert "same => n,QueueLog(12315,${UNIQUEID},NONE,HOTLINEEXIT,CALLBACK)" in keyed
    assert context(document, "hotline-queue-12315")[1].endswith("Queue(12315,tciC,,,,,,,${HOTLINE_POSITION})")


def test_waiting_ends_in_another_queue_or_the_same() -> None:
    """After its longest wait a caller goes to the overflow queue; without one, back into the same."""
    document = extensions_conf(small_site())
    assert context(document, "hotline-queue-12315")[1] == "same => n,Queue(12315,tciC,,,90)"
    assert "same => n,Set(HOTLINE_QUEUE=12345)" in context(document, "hotline-queue-12315")
    same = context(document, "hotline-queue-12345")
    assert same[1] == "same => n,Queue(12345,tciC)"
    assert "same => n,Goto(hotline-queue,s,1)" in same
    (moved,) = (row for row in same if "HOTLINE_QUEUE=" in row)
    assert moved == "same => n(moved),Set(HOTLINE_QUEUE=${QUEUE_WITHDRAW_INFO})", (
        "only a supervisor moves them"
    )


def test_priority_follows_the_line() -> None:
    """A line's priority is kept by line, so a menu that changes the line changes the priority too."""
    document = extensions_conf(small_site())
    assert "HOTLINE_PRIORITY_12315 = 7" in document
    assert any("${HOTLINE_PRIORITY_${HOTLINE_LINE}}" in row for row in context(document, "hotline-queue"))


@pytest.mark.parametrize(
    ("opens", "closes", "expected"),
    [
        (time(9), time(18), ["09:00-17:59,mon&fri,*,*,Asia/Shanghai?open"]),
        (time(8, 30), time(23, 59, 59), ["08:30-23:59,mon&fri,*,*,Asia/Shanghai?open"]),
        (time(0), time(0), ["00:00-23:59,mon&fri,*,*,Asia/Shanghai?open"]),
        (
            time(22),
            time(6),
            ["22:00-23:59,mon&fri,*,*,Asia/Shanghai?open", "00:00-05:59,tue&sat,*,*,Asia/Shanghai?open"],
        ),
    ],
    ids=["office", "to the last second", "all day", "over midnight"],
)
def test_hours(opens: time, closes: time, expected: list[str]) -> None:
    """Opening hours are the site's, the closing minute is closed, and a night belongs to the day it began."""
    lines = (
        Line(id="12345", name="a", dids=("12345",)),
        Line(
            id="12333",
            name="b",
            dids=("12333",),
            hours=(Hours(days=(1, 5), opens=opens, closes=closes),),
            closed_to="12345",
        ),
    )
    queues = (Queue(name="12345", title="a"), Queue(name="12333", title="b"))
    document = extensions_conf(small_site(lines=lines, queues=queues, menus=()))
    rows = context(document, "hotline-line-12333")
    assert [row for row in rows if "GotoIfTime" in row] == [
        f"same => n,GotoIfTime({when})" for when in expected
    ]
    assert "same => n,Goto(hotline-line-12345,s,open)" in rows


def test_two_lines_closed_to_each_other_do_not_circle() -> None:
    """Out of hours a call moves one line on and is served there, whatever that line's hours."""
    hours = (Hours(opens=time(9), closes=time(10)),)
    lines = (
        Line(id="a", name="a", dids=("12345",), hours=hours, closed_to="b"),
        Line(id="b", name="b", dids=("12333",), hours=hours, closed_to="a"),
    )
    queues = (Queue(name="a", title="a"), Queue(name="b", title="b"))
    document = extensions_conf(small_site(lines=lines, queues=queues, menus=()))
    after_open = context(document, "hotline-line-b")
    opened = next(index for index, row in enumerate(after_open) if "n(open)" in row)
    assert not any("GotoIfTime" in row for row in after_open[opened:])


def test_line_whose_queue_is_missing_is_refused() -> None:
    """A caller must not be sent to a queue that is not there."""
    with pytest.raises(UsageError, match="queue 12345, which the site has not"):
        extensions_conf(small_site(queues=(Queue(name="12315", title="x"),)))


def test_lines_that_only_sum_others_have_no_context() -> None:
    """A heading without a number of its own takes no calls and needs no queue."""
    lines = (*small_site().lines, Line(id="group", name="合计"))
    assert "hotline-line-group" not in extensions_conf(small_site(lines=lines))


def test_secrets_are_escaped_not_cut() -> None:
    """A semicolon in a password is kept: written with its backslash."""
    files = managed_files(small_site(), secret, PLACES)
    assert "password = agent-zhang\\;#=\\" in files["pjsip.conf"]
    assert "secret = ami\\;#=\\" in files["manager.conf"]


@pytest.mark.parametrize("bad", ["a\nb", "a\rb", "a\u2028b", "a\x00b", " a", "a ", "", ">a", "x" * 2000])
def test_values_asterisk_would_read_otherwise_are_refused(bad: str) -> None:
    """What cannot be written as one value is refused with the name of the thing, never repaired."""
    with pytest.raises(UsageError, match="the thing"):
        text.value(bad, "the thing")
    with pytest.raises(UsageError, match="the AMI secret"):
        managed_files(small_site(), lambda name: bad if name == "ami" else "good", PLACES)


@pytest.mark.parametrize("bad", ["", "a b", "a;b", "a]b", "a\n", "_x", "张", "a" * 41])
def test_names_that_could_leave_their_place_are_refused(bad: str) -> None:
    """Only letters, digits, _ and - enter the dialplan as names."""
    with pytest.raises(UsageError):
        text.word(bad, "queue")


@pytest.mark.parametrize("bad", ["10.0.0.0/8\nmatch=0.0.0.0/0", "anywhere", "0.0.0.0/0;", ""])
def test_trunk_takes_addresses_only(bad: str) -> None:
    """A trunk's match cannot smuggle in another option."""
    site = small_site(asterisk=AsteriskSection(trunk=TrunkSection(match=(bad,))))
    with pytest.raises(UsageError, match=r"asterisk\.trunk\.match"):
        managed_files(site, secret, PLACES)


def test_ghost_calls_are_reaped_and_media_stays_with_us() -> None:
    """An RTP timeout everywhere, ten times as long for callers, who may be silent while they wait.

    No call's media may go past Asterisk: it could not be heard.
    """
    pjsip = managed_files(small_site(), secret, PLACES)["pjsip.conf"]
    endpoints = [part for part in pjsip.split("\n[") if "type = endpoint" in part]
    trunk, phone = endpoints
    assert "rtp_timeout = 300\n" in trunk
    assert "rtp_timeout = 30\n" in phone
    assert all("direct_media = no" in endpoint for endpoint in endpoints)


def test_modules_are_listed_one_by_one() -> None:
    """Nothing is loaded by itself, hidden dependencies are there, and what harms an exchange is not."""
    modules = managed_files(small_site(), secret, PLACES)["modules.conf"]
    assert "autoload = no" in modules
    assert "load = res_speech.so" in modules
    assert "sqlite3_custom" not in modules


def test_server_account_has_no_command_right_and_skips_noise() -> None:
    """The AMI user may not run console commands, and VarSet is not sent to it."""
    manager = managed_files(small_site(), secret, PLACES)["manager.conf"]
    assert "write = agent,call,originate,system,user" in manager
    assert "eventfilter(action(exclude),name(VarSet)) =" in manager
    assert "timestampevents = yes" in manager


def test_files_to_include_leave_the_general_parts_alone() -> None:
    """For an Asterisk that runs already: no [general], no transports, no asterisk.conf, and a README."""
    files = included_files(small_site(), secret)
    assert sorted(files) == [
        "README.txt",
        "hotline-extensions.conf",
        "hotline-features.conf",
        "hotline-manager.conf",
        "hotline-pjsip.conf",
        "hotline-queuerules.conf",
        "hotline-queues.conf",
    ]
    for name, written in files.items():
        if name.endswith(".conf"):
            assert "\n[general]" not in written
            assert "\n[transport" not in written
            assert f"#include {name}" in files["README.txt"]
    assert "atxferthreeway = *5" in files["README.txt"] and "*7,peer" in files["hotline-features.conf"]


def test_announced_positions_have_their_digits() -> None:
    """Where positions are announced every number that may be said is among the prompts to make."""
    said = static_prompts(small_site())
    assert {f"digits/{n}" for n in range(1, 10)} <= said.keys()
    queues = managed_files(small_site(), secret, PLACES)["queues.conf"]
    for option in ("queue-youarenext", "queue-thereare", "queue-callswaiting", "periodic-announce"):
        name = re.search(rf"{option} = (\S+)", queues)
        assert name is not None and name.group(1) in said


def test_calls_can_be_handed_to_agents_queues_and_listed_numbers_only() -> None:
    """Each target is an extension of its own; a number that the site does not list cannot be dialled."""
    outside = TransferSection(
        trunk="PJSIP/trunk/sip:{number}@10.1.2.3",
        numbers=(OutsideNumber(name="公安报警", number="110", emergency=True),),
    )
    rows = context(extensions_conf(small_site(transfer=outside)), "hotline-transfer")
    targets = [row.split(",")[0].removeprefix("exten => ") for row in rows if row.startswith("exten")]
    assert targets == ["8001", "q12345", "12345", "q12315", "12315", "110", "unreached", "i"]
    assert "same => n,Dial(PJSIP/trunk/sip:110@10.1.2.3,60)" in rows
    assert "same => n,Dial(PJSIP/8001,30,t)" in rows


def test_an_agent_goes_before_a_queue_of_the_same_number() -> None:
    """A phone's keys cannot say which is meant: the queue is still reached with its q."""
    agents = (Agent(id="zhang", name="张", extension="12345"),)
    rows = context(extensions_conf(small_site(agents=agents)), "hotline-transfer")
    assert rows[rows.index("exten => 12345,1,Gosub(hotline-moved,s,1)") + 1].endswith(
        "Dial(PJSIP/12345,30,t)"
    )
    assert rows[rows.index("exten => q12345,1,Gosub(hotline-moved,s,1)") + 1].endswith("QUEUE=12345)")
    assert rows.count("exten => 12345,1,Gosub(hotline-moved,s,1)") == 1


def test_only_agents_phones_may_transfer() -> None:
    """REFER from the trunk is refused; an agent's REFER and keys find their targets in hotline-transfer."""
    pjsip = managed_files(small_site(), secret, PLACES)["pjsip.conf"]
    trunk, phone = (part for part in pjsip.split("\n[") if "type = endpoint" in part)
    assert "allow_transfer = no" in trunk and "TRANSFER_CONTEXT" not in trunk
    assert "set_var = TRANSFER_CONTEXT=hotline-transfer" in phone


def test_every_sentence_of_a_transfer_by_keys_is_made() -> None:
    """Asterisk finds what features.conf names among the prompts to make."""
    features = managed_files(small_site(), secret, PLACES)["features.conf"]
    named = re.findall(r"= (hotline/\S+)", features)
    assert len(named) == 4 and set(named) <= static_prompts(small_site()).keys()


def test_the_circle_of_agents_widens_as_the_site_says() -> None:
    """Level 1 at once, level 2 after 20 s, whoever is left after 40 s; a queue without it has no rule."""
    site = small_site()
    first, *others = site.queues
    widening = first.model_copy(update={"widen_after_seconds": (20, 40)})
    files = managed_files(site.model_copy(update={"queues": (widening, *others)}), secret, PLACES)
    rules = [line for line in files["queuerules.conf"].splitlines() if line and not line.startswith(";")]
    assert rules == [f"[widen-{first.name}]", "penaltychange = 20,1", "penaltychange = 40,10"]
    assert files["queues.conf"].count(f"defaultrule = widen-{first.name}") == 1


def test_each_key_of_a_supervisors_phone_says_what_it_does_before_it_does_it() -> None:
    """4, 5 and 6 note it on the channel and tell of it first; recorded is only who barges in."""
    for records in (False, True):
        section = RecordingSection(lines=Recorded.ON if records else Recorded.OFF)
        rows = context(extensions_conf(small_site(recording=section)), "hotline-spy")
        begins = [number for number, row in enumerate(rows) if row.startswith("exten => ")]
        for begin, end, verb, mode in zip(
            begins, [*begins[1:], len(rows)], ("listen", "whisper", "barge"), ("", "w", "B"), strict=True
        ):
            doing = "\n".join(rows[begin:end])
            assert f"${{HOTLINE_SPY_ON}}/{verb}/" in doing
            assert doing.index("UserEvent(HotlineSpy") < doing.index(
                f"ChanSpy(${{HOTLINE_SPY_ON}},uqdXES{mode})"
            )
            assert ("MixMonitor(,r" in doing) == (records and verb == "barge")
            assert ("StopMixMonitor" in doing) == records


def test_what_a_supervisors_channel_says_is_read_back_and_nothing_else() -> None:
    """Our own words come back whole; another's variable is nobody listening."""
    state = SpyState("node1-1795265611.4", SuperviseVerb.BARGE, datetime(2026, 11, 2, 1, 0, 0, 5000, UTC))
    assert SpyState.parse(str(state)) == state
    torn = ("", "a", "a/listen", "a/listen/", "/listen/1")
    for other in (*torn, "a/release/1", "a/listen/x", f"a/listen/{10**14}"):
        assert SpyState.parse(other) is None


def test_a_site_that_records_nothing_has_no_trace_of_it() -> None:
    """Without a recorded line no channel is monitored and agents' channels run nothing of ours."""
    document = extensions_conf(small_site())
    assert "MixMonitor" not in document and "hotline-recorded" not in document


def test_recording_begins_before_the_wait_and_with_the_answer() -> None:
    """The caller's voice before Queue(), the agent's on the agent's channel; no name holds a number."""
    site = small_site(recording=RecordingSection(lines=Recorded.BY_NOTICE))
    document = extensions_conf(site)
    assert "HOTLINE_RECORD_12345 = by notice" in document
    entry = context(document, "hotline-queue")
    monitor = next(row for row in entry if "MixMonitor(" in row)
    assert monitor.endswith("MixMonitor(,r(hotline/${HOTLINE_RECORDING}-caller-${STRFTIME(,,%s%3q)}.alaw))")
    assert entry.index(monitor) < len(entry) - 1 and "Goto(hotline-queue-" in entry[-1]
    queue = context(document, "hotline-queue-12315")
    assert any(row.endswith("Queue(12315,tciC,,,90,,hotline-recorded)") for row in queue)
    assert "-agent-" in "".join(context(document, "hotline-recorded"))
    assert "CALLERID" not in monitor


def test_the_names_of_raw_files_are_read_as_they_are_written() -> None:
    """A file's name gives back call, side and moment; other files are none of ours."""
    name = RawName.parse("node1-1795265611.0-agent-1795265612918.alaw")
    assert name is not None
    assert (name.call_id, name.side, name.began_at.microsecond) == ("node1-1795265611.0", "agent", 918_000)
    assert RawName.parse(str(name)) == name
    for other in ("a-agent-1795265612918.wav", "../x-agent-1795265612918.alaw", "x-agent-.alaw", ""):
        assert RawName.parse(other) is None
