"""The site file: what is accepted, and how each mistake is told."""

from __future__ import annotations

import textwrap
import wave
from datetime import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hotline.config.loading import check_site, load_site
from hotline.config.problems import Problem, Severity, SiteProblems

SMALL = """
lines:
  - id: "12345"
    name: 热线
    number: 12345
    dids: [12345]
queues:
  - {name: "12345", title: 综合}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "site.yaml"


def problems_of(file: Path, text: str | bytes) -> list[Problem]:
    """What there is to say about a file of this content."""
    file.write_bytes(text if isinstance(text, bytes) else textwrap.dedent(text).encode())
    return list(check_site(file, {}).problems)


def only(problems: list[Problem]) -> Problem:
    """The one error among the problems."""
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    assert len(errors) == 1, [str(problem) for problem in problems]
    return errors[0]


def warnings(problems: list[Problem]) -> list[str]:
    return [str(problem) for problem in problems if problem.severity is Severity.WARNING]


def test_a_small_site_needs_little(file: Path) -> None:
    """One line and one queue make a site; everything else has a default, and listens on loopback."""
    assert problems_of(file, SMALL) == []
    site = load_site(file, {})
    assert site.line_of_did("12345") is site.lines[0]
    assert site.lines[0].queue_name == "12345"
    assert {site.web.host, site.metrics.host, site.fastagi.host, site.asterisk.host} == {"127.0.0.1"}


def test_numbers_and_times_mean_what_was_written(file: Path) -> None:
    """Leading zeros, clock times and the key 0 are not what YAML 1.1 would make of them."""
    problems = problems_of(
        file,
        """
        lines:
          - {id: no, name: 热线, number: 0757, dids: [0757], hours: [{opens: 8:30, closes: 17:30}], menu: on}
        queues: [{name: no, title: 综合}]
        menus: [{name: on, prompt: p, choices: [{key: 0, title: 人工, operator: yes}]}]
        prompts: [{name: p, text: 请按0}]
        """,
    )
    assert problems == []
    site = load_site(file, {})
    assert site.lines[0].number == "0757"
    assert site.lines[0].hours[0].opens == time(8, 30)
    assert site.menus[0].choices[0].key == "0"


def test_every_mistake_is_told_at_once_with_its_line(file: Path) -> None:
    """Schema mistakes, unknown references and collisions come together, in file order."""
    problems = problems_of(
        file,
        """\
        site: {timezone: Asia/Foshan}
        web: {port: 80800}
        metrics: {prot: 9345}
        lines:
          - id: "12345"
            name: 热线
            dids: [12345]
            menu: mian
          - id: "12345"
            name: "两\\n行"
            dids: [12345]
        queues:
          - {name: "12345", title: 综合, strategy: ringal}
        menus:
          - {name: main, prompt: main, choices: [{key: 12, title: 市场, line: "12315"}]}
        """,
    )
    told = {(problem.line, problem.key): problem for problem in problems}
    assert [problem.line for problem in problems] == sorted(problem.line for problem in problems)
    expected = {
        (1, "site.timezone"): ("no such time zone", ""),
        (2, "web.port"): ("at most 65535", ""),
        (3, "metrics.prot"): ('unknown key "prot"', 'did you mean "port"?'),
        (8, "lines[0].menu"): ('no menu "mian"', 'did you mean "main"?'),
        (9, "lines[1].id"): ("given twice (first on line 5)", "rename"),
        (10, "lines[1].name"): ("control character", "one line"),
        (11, "lines[1].dids[0]"): ('DID "12345" is given twice', ""),
        (13, "queues[0].strategy"): ('"ringal" is not one of', 'did you mean "ringall"?'),
        (15, "menus[0].prompt"): ('no prompt "main"', "add it to prompts"),
        (15, "menus[0].choices[0].key"): ("not a key of a telephone", ""),
        (15, "menus[0].choices[0].line"): ('no line "12315"', ""),
    }
    for place, (message, hint) in expected.items():
        assert place in told, f"{place} is not told: {[str(problem) for problem in problems]}"
        assert message in told[place].message
        assert hint in told[place].hint


def test_one_line_tells_what_is_wrong_and_where_to_read_on(file: Path) -> None:
    """The error that ends a command is one line: the first problem, and the command that lists all."""
    problems_of(file, "lines: []\nqueues: x\nweb: {port: 0}\n")
    with pytest.raises(SiteProblems) as raised:
        load_site(file, {})
    text = str(raised.value)
    assert "\n" not in text
    assert f"{file}:1" in text
    assert "hotline check" in text
    assert len(raised.value.errors) == 3


@pytest.mark.parametrize(
    ("content", "line", "message", "hint"),
    [
        (b"", 0, "empty", "demo.yaml"),
        (b"# nothing\n", 0, "empty", "demo.yaml"),
        (b"- a\n- b\n", 1, "made of sections", ""),
        (b"just words", 1, "made of sections", ""),
        (b"lines:\n\t- id: x\n", 2, "a tab", "spaces"),
        (b"lines: [\n", 2, "not YAML", ""),
        (b"a: b: c\n", 1, "not YAML", "colons"),
        (b"a: 1\n---\nb: 2\n", 2, "second document", "---"),
        ("lines: 市".encode("gb18030"), 1, "not UTF-8", "GBK"),
        (b"a: 1\nb: \xff\xfe\n", 2, "not UTF-8", "UTF-8"),
        (b"a: 1\nb: \x07\n", 2, "control character", "delete"),
        (b"a: *nothing\n", 1, "undefined alias", "&"),
        (b"[" * 5000, 0, "nested", ""),
        (b"a: &a [*a]\n", 1, "without end", "write the values out"),
        (b"x" * 4_000_001, 0, "4000001 bytes", ""),
    ],
    ids=lambda value: value[:14].decode("latin-1") if isinstance(value, bytes) else None,
)
def test_what_is_no_site_file_is_told_in_plain_words(
    file: Path, content: bytes, line: int, message: str, hint: str
) -> None:
    """Files that are not YAML, not text or nothing at all are one problem with its line."""
    problem = only(problems_of(file, content))
    assert problem.line == line
    assert message in problem.message
    assert hint in problem.hint


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path) -> None:
    """A path that leads nowhere, or to a folder, is a problem, not a crash."""
    assert "no such file" in only(list(check_site(tmp_path / "none.yaml", {}).problems)).message
    assert "cannot be read" in only(list(check_site(tmp_path, {}).problems)).message


def test_aliases_cannot_make_a_file_grow_without_end(file: Path) -> None:
    """Nine levels of nine references each are refused, not built."""
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    assert "without end" in only(problems_of(file, "\n".join(levels))).message


def test_honest_aliases_and_merges_work(file: Path) -> None:
    """A section may be written once and used twice; what it says itself goes before what it takes over."""
    problems = problems_of(
        file,
        """
        lines: [{id: a, name: 甲, dids: [1]}, {id: b, name: 乙, dids: [2]}]
        queues:
          - &seats {name: a, title: 甲, ring_seconds: 33, wrap_up_seconds: 44}
          - {<<: *seats, name: b, wrap_up_seconds: 55}
        """,
    )
    assert problems == []
    queue = load_site(file, {}).queues[1]
    assert (queue.name, queue.title, queue.ring_seconds, queue.wrap_up_seconds) == ("b", "甲", 33, 55)


def test_a_key_given_twice_is_refused(file: Path) -> None:
    """YAML would keep the last; here both places are named."""
    problem = only(
        problems_of(file, SMALL + "notice: a\nweb: {}\nweb: {port: 1}\nprompts: [{name: a, text: 甲}]\n")
    )
    assert (problem.line, problem.key) == (11, "web")
    assert "first on line 10" in problem.message


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system [id]", "!mine x", "!!binary aGk="])
def test_tags_make_nothing(file: Path, tag: str) -> None:
    """A YAML tag builds no object: it is a problem of its line."""
    assert any("tag" in problem.message for problem in problems_of(file, SMALL + f"notice: {tag}\n"))


TRUNK = "transfer: {trunk: 'PJSIP/trunk/sip:{number}@10.1.2.3', numbers: ["


@pytest.mark.parametrize(
    ("extra", "key", "message"),
    [
        ("line: x", "line", 'unknown key "line"'),
        ("web: 8080", "web", "a section with keys is wanted"),
        ("web: {port: eighty}", "web.port", "not a whole number"),
        ("web: {port: }", "web.port", "nothing is given"),
        ("web: {secure_cookies: maybe}", "web.secure_cookies", "neither true nor false"),
        ("web: {port: 9345}", "web.port", "the web pages and Prometheus both want port 9345"),
        ("fastagi: {port: 5060}", "fastagi.port", "both want port 5060"),
        ("asterisk: {sip_port: 10500}", "asterisk.sip_port", "SIP and RTP both want port 10500"),
        ("asterisk: {rtp_first_port: 11000}", "asterisk.rtp_last_port", "before they begin"),
        ("asr: {workers: 4, audiosocket: {port: 9342}}", "asr.audiosocket.port", "port 9345"),
        ("asr: {model: nowhere}", "asr.model", "no model folder"),
        ("notice: hello", "notice", 'no prompt "hello"'),
        ("figures: {answer_rate_norm: 95}", "figures.answer_rate_norm", "at most 1"),
        ("database: {password: {env: A, file: b}}", "database.password", "env or file, not both"),
        ("prompts: [{name: a, text: ''}]", "prompts[0].text", "at least 1 character"),
        ("prompts: [{name: a}]", "prompts[0].text", '"text" is missing'),
        ("prompts: {name: a}", "prompts", "a list is wanted"),
        ("prompts: [{name: 'a b', text: x}]", "prompts[0].name", '"a b" is not a name'),
        ("prompts: [{name: a, text: x, recording: no.wav}]", "prompts[0].recording", "no file"),
        ("transfer: {numbers: [{name: 报警, number: 110}]}", "transfer", "numbers to dial but no trunk"),
        ("transfer: {trunk: PJSIP/trunk}", "transfer.trunk", "not a way to dial"),
        ("transfer: {trunk: 'PJSIP/{number}@t,60,t'}", "transfer.trunk", "not a way to dial"),
        (TRUNK + "{name: 警, number: 12345}]}", "transfer.numbers[0].number", "a queue already"),
        (TRUNK + "{name: 警, number: 110, service: 110}]}", "transfer.numbers[0]", "emergency: true"),
        (TRUNK + "{name: 警, number: 1}, {name: 消, number: 1}]}", "transfer.numbers[1].number", "twice"),
    ],
)
def test_sections_are_strict(file: Path, extra: str, key: str, message: str) -> None:
    """Each kind of mistake in a section is told at its key in plain words."""
    problem = only(problems_of(file, SMALL + extra + "\n"))
    assert problem.key == key
    assert message in problem.message
    assert problem.line == (9 if key.startswith(extra.split(":")[0]) else 1)


LINE = "  - {{id: {}, name: 线, {}}}\n"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("parent: nobody", 'no line "nobody"'),
        ("parent: x", "a circle: x -> x"),
        ("dids: [999]", 'line "x" has no queue'),
        ("queue: none", 'no queue "none"'),
        ("closed_to: nobody, hours: [{opens: '8:00'}]", 'no line "nobody"'),
        ("suffix: 1", "a suffix without a number"),
        ("number: 12345", 'line number "12345" is given twice'),
        ("number: 110", "110 (公安报警) is never merged"),
        ("merge: absorbed", '"absorbed" is not one of'),
        ("merge: 双号并轨", "is not one of"),
        ("hours: [{opens: '8:00', closes: '8:00'}]", "opens and closes at 8:00"),
        ("hours: [{opens: '25:00'}]", "not a time of day"),
        ("dids: 999, queue: '12345'", "a list is wanted"),
        ("dids: ['+86'], queue: '12345'", "not a number to dial"),
    ],
)
def test_lines_are_checked(file: Path, line: str, message: str) -> None:
    """What a line says of itself and of others must hold."""
    text = SMALL.replace("queues:", LINE.format("x", line) + "queues:")
    assert message in only(problems_of(file, text)).message


def test_merge_words_are_offered(file: Path) -> None:
    """Whoever writes the mode in English, or nearly right, is given the word."""
    for written, meant in (("absorbed", "整体并入"), ("双号并轨", "双号并行")):
        text = SMALL.replace("queues:", LINE.format("x", f"merge: {written}") + "queues:")
        assert meant in only(problems_of(file, text)).hint


def test_circles_are_told_once(file: Path) -> None:
    """Lines that are each other's parents, and queues that overflow in a ring, are one problem each."""
    problems = problems_of(
        file,
        """
        lines:
          - {id: a, name: 甲, parent: b, dids: [1]}
          - {id: b, name: 乙, parent: c}
          - {id: c, name: 丙, parent: b}
        queues:
          - {name: a, title: 甲, max_waiting: 1, overflow: b}
          - {name: b, title: 乙, max_waiting: 1, overflow: a}
        """,
    )
    assert [problem.message for problem in problems] == [
        "a circle: b -> c -> b",
        "a circle: a -> b -> a",
    ]


def test_a_bounded_queue_says_where_its_callers_go(file: Path) -> None:
    """Without overflow they would join the end of the same queue again, and be counted again each time."""
    problems = problems_of(
        file,
        """
        lines: [{id: a, name: 甲, dids: [1]}]
        queues: [{name: a, title: 甲, max_waiting: 5, max_wait_seconds: 60}]
        """,
    )
    assert {problem.message for problem in problems} == {"callers would join the end of the same queue again"}
    assert len(problems) == 2 and all("overflow" in problem.hint for problem in problems)


def test_keys_of_waiting_callers_lead_somewhere(file: Path) -> None:
    """To another queue that there is, each once; a callback needs a trunk to call back by."""
    problems = problems_of(
        file,
        """
        lines: [{id: a, name: 甲, dids: [1]}]
        queues:
          - name: a
            title: 甲
            keys: [{key: 1, callback: true}, {key: 2, queue: a}, {key: 2, queue: b}]
        """,
    )
    assert sorted(problem.message for problem in problems) == [
        "callers would leave for the same queue",
        'key "2" is given twice (first on line 6)',
        "nobody could call back",
        'there is no queue "b"',
    ]


def test_a_heading_and_its_own_line_may_share_a_number(file: Path) -> None:
    """A bureau's heading bears the number of the first line under it, as published tables print it."""
    heading = "  - {id: market, name: 局, number: 12315, parent: '12345'}\n"
    child = "  - {id: old, name: 原, number: 12315, parent: market}\n"
    assert problems_of(file, SMALL.replace("queues:", heading + child + "queues:")) == []
    stranger = child.replace("market", "'12345'")
    assert (
        "given twice"
        in only(problems_of(file, SMALL.replace("queues:", heading + stranger + "queues:"))).message
    )


MENUS = """
lines: [{id: "1", name: 线, dids: [1], menu: top}]
queues: [{name: "1", title: 队}]
menus:
  - {name: top, prompt: p, choices: [%s]}
  - {name: second, prompt: p, choices: [{key: 1, title: 去, %s}]}
prompts: [{name: p, text: 请按键}]
"""


@pytest.mark.parametrize(
    ("top", "second", "message"),
    [
        ("{key: 1, title: 去, menu: second}", "menu: top", "menus in a circle: top -> second -> top"),
        ("{key: 1, title: 去, menu: second}", "menu: second", "menus in a circle: second -> second"),
        ("{key: 1, title: 去, menu: secnd}", "back: true", 'no menu "secnd"'),
        ("{key: 1, title: 去}", "back: true", "exactly one of"),
        ("{key: 1, title: 去, menu: second, line: '1'}", "back: true", "exactly one of"),
        ("{key: 0, title: 去, menu: second}", "back: true", "0 must reach a person"),
        ("{key: 1, title: 去, queue: x}", "back: true", 'no queue "x"'),
        ("{key: 1, title: 去, say: x}", "back: true", 'no prompt "x"'),
        ("", "back: true", "a menu without choices"),
        ("{key: 1, title: 去, menu: second, language: English}", "back: true", '"English" is not a language'),
        ("{key: 1, title: 去, menu: second}", "back: true, language: en", "a language goes with line, queue"),
    ],
)
def test_menus_are_checked(file: Path, top: str, second: str, message: str) -> None:
    """Menus lead somewhere, back only by back, and 0 to a person."""
    assert message in only(problems_of(file, MENUS % (top, second))).message


def test_a_prompt_in_a_language_without_a_voice_needs_a_recording(file: Path) -> None:
    """English and Mandarin are said; for anything else the problem names the remedy."""
    menus = MENUS.replace("text: 请按键}", "text: Press a key., language: %s}")
    choices = ("{key: 1, title: 去, menu: second}", "back: true")
    assert problems_of(file, menus % (*choices, "en-GB")) == []
    assert "give a recording" in only(problems_of(file, menus % (*choices, "yue"))).message


def test_a_key_twice_in_a_menu_is_told(file: Path) -> None:
    """The second use of a key is named."""
    text = MENUS % ("{key: 1, title: 去, line: '1'}, {key: 1, title: 来, menu: second}", "back: true")
    assert any("given twice" in problem.message for problem in problems_of(file, text))


def test_going_back_is_no_circle(file: Path) -> None:
    """back: true is how a caller returns."""
    assert problems_of(file, MENUS % ("{key: 1, title: 去, menu: second}", "back: true")) == []


def test_mazes_and_dead_ends_are_warned_of_and_still_run(file: Path) -> None:
    """A fourth level, a menu nobody reaches and a prompt nobody plays are warnings: the site loads."""
    levels = "\n".join(
        f"  - {{name: m{n}, prompt: p, choices: [{{key: 1, title: 去, menu: m{n + 1}}}]}}"
        for n in range(1, 4)
    )
    problems = problems_of(
        file,
        f"""
lines: [{{id: "1", name: 线, dids: [1], menu: m1}}, {{id: "2", name: 线, merge: 双号并行}}]
queues: [{{name: "1", title: 队, widen_after_seconds: [20]}}, {{name: q, title: 队}}]
agents: [{{id: a, name: 甲, extension: 10, skills: {{"1": 2}}}}, {{id: b, name: 乙, extension: 11}}]
menus:
{levels}
  - {{name: m4, prompt: p, choices: [{{key: 1, title: 去, line: "1"}}]}}
  - {{name: lost, prompt: p, choices: [{{key: 1, title: 去, line: "1"}}]}}
prompts: [{{name: p, text: 请按键}}, {{name: unused, text: 喂}}, {{name: please-wait, text: 等}}]
""",
    )
    told = "\n".join(warnings(problems))
    for words in (
        'menu "m4" is level 4',
        'no caller can reach menu "lost"',
        'prompt "unused" is never played',
        'nobody can reach line "2"',
        'no agent serves queue "q"',
        'queue "1" has no agent of level 1',
        'agent "b" has no skills',
    ):
        assert words in told
    assert len(warnings(problems)) == len(problems) == 7
    assert load_site(file, {}).menu("m4")


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("asterisk: {managed: false, queue_log: /q}", "without sounds_dir"),
        ("asterisk: {managed: no, sounds_dir: /s}", "without queue_log"),
        ("web: {host: 0.0.0.0}", "sign-ins can be read"),
        ("asterisk: {ami: {secret: {file: none}}}", "no file none"),
        ("database: {password: {file: none}}", "no file none"),
        ("recording: {encrypt: yes, key: {file: none}}", "no file none"),
    ],
)
def test_what_the_machine_must_add_is_warned_of(file: Path, extra: str, message: str) -> None:
    """A file may be checked on another machine: what is missing here is a warning."""
    problems = problems_of(file, SMALL + extra + "\n")
    assert [message in text for text in warnings(problems)] == [True]
    assert len(problems) == 1


def test_agents_are_checked(file: Path) -> None:
    """Skills name queues; extensions are one agent's and no line's."""
    agents = """agents:
  - {id: a, name: 甲, extension: 10, skills: {"12346": 1}}
  - {id: b, name: 乙, extension: 10, skills: {"12345": 11}}
  - {id: c, name: 丙, extension: 12345, skills: {"12345": 1}}
"""
    told = [str(problem) for problem in problems_of(file, SMALL + agents)]
    assert any('no queue "12346" — did you mean "12345"?' in text for text in told)
    assert any('extension "10" is given twice' in text for text in told)
    assert any("agents[1].skills.12345" in text and "at most 10" in text for text in told)
    assert any("12345 is a line's DID already" in text for text in told)


def test_a_recording_must_be_one(file: Path) -> None:
    """A recording that is no WAV, or not of 16 bits, is refused before anybody calls."""
    text = SMALL + "notice: a\nprompts: [{name: a, text: 喂, recording: a.wav}]\n"
    recording = file.with_name("a.wav")
    recording.write_bytes(b"RIFF, or so it says")
    assert "not a PCM WAV" in only(problems_of(file, text)).message
    with wave.open(str(recording), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(8000)
        sound.writeframes(b"\x80" * 800)
    assert "8 bits" in only(problems_of(file, text)).message
    with wave.open(str(recording), "wb") as sound:
        sound.setnchannels(2)
        sound.setsampwidth(2)
        sound.setframerate(44100)
        sound.writeframes(b"\0" * 4000)
    assert problems_of(file, text) == []
    assert load_site(file, {}).prompts[0].recording == recording


def test_paths_count_from_the_files_folder(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative paths are the site file's neighbours, wherever the server is started."""
    text = SMALL + "data_dir: kept\nasterisk: {queue_log: log/q, ami: {secret: {file: s/ami}}}\n"
    problems_of(file, text)
    monkeypatch.chdir("/")
    site = load_site(file, {})
    assert site.data_dir == file.parent / "kept"
    assert site.asterisk.queue_log == file.parent / "log" / "q"
    assert site.asterisk.ami.secret.file == file.parent / "s" / "ami"


def test_the_environment_names_the_data_dir(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HOTLINE_DATA_DIR goes before the file; relative, it counts from the working directory."""
    problems_of(file, SMALL + "data_dir: kept\n")
    monkeypatch.chdir(file.parent)
    assert load_site(file, {"HOTLINE_DATA_DIR": "/srv/hotline"}).data_dir == Path("/srv/hotline")
    assert load_site(file, {"HOTLINE_DATA_DIR": "here"}).data_dir == file.parent / "here"
    assert load_site(file, {"HOTLINE_DATA_DIR": ""}).data_dir == file.parent / "kept"


def test_a_byte_order_mark_and_windows_line_ends_are_fine(file: Path) -> None:
    """Files from other editors load, and their lines are counted right."""
    text = SMALL.replace("\n", "\r\n")
    assert problems_of(file, b"\xef\xbb\xbf" + text.encode()) == []
    assert only(problems_of(file, (text + "web: {prot: 1}\r\n").encode())).line == 9


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    content=st.one_of(
        st.binary(max_size=300), st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace"))
    )
)
def test_no_content_makes_it_crash(file: Path, content: bytes) -> None:
    """Whatever a file holds, it loads or has an error to tell."""
    file.write_bytes(content)
    checked = check_site(file, {})
    assert (checked.site is None) == bool(checked.errors)


scalars = st.sampled_from(
    ["x", "12345", "-1", "true", "", "~", "[]", "{}", "[x]", "{a: b}", "1e9", "🌐", "'a\u2028b'"]
)
sections = st.sampled_from(
    [
        "lines",
        "queues",
        "agents",
        "menus",
        "prompts",
        "web",
        "asr",
        "asterisk",
        "site",
        "figures",
        "data_dir",
        "notice",
    ]
)
keys = st.sampled_from(
    ["id", "name", "dids", "hours", "menu", "choices", "key", "skills", "port", "ami", "queue"]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(data=st.lists(st.tuples(sections, keys, scalars, st.booleans()), max_size=6))
def test_no_shape_makes_it_crash(file: Path, data: list[tuple[str, str, str, bool]]) -> None:
    """Values of the wrong shape anywhere are told, each at a line of the file."""
    text = "".join(f"{s}: {'[' if many else ''}{{{k}: {v}}}{']' if many else ''}\n" for s, k, v, many in data)
    file.write_text(SMALL + text, encoding="utf-8")
    for problem in check_site(file, {}).problems:
        assert 0 <= problem.line <= 9 + len(data)
        assert problem.message


def test_shifts_name_agents_and_the_roster_is_read_row_by_row(file: Path) -> None:
    """A shift of nobody is an error; a senseless row, or no file at all, is a warning with its place."""
    agents = 'agents: [{id: a, name: 甲, extension: 10, skills: {"12345": 1}}]\n'
    shift = "shifts: [{name: 早, agents: [%s], starts: '8:00', ends: '16:00'}]\n"
    (told,) = problems_of(file, SMALL + agents + shift % "b")
    assert 'there is no agent "b"' in str(told)
    (wrong,) = problems_of(file, SMALL + agents + shift.replace("16:00", "4pm") % "a")
    assert "shifts[0].ends" in str(wrong) and "write 08:00" in str(wrong)
    (missing,) = warnings(problems_of(file, SMALL + agents + "roster: none.csv\n"))
    assert "none.csv cannot be read" in missing
    file.with_name("days.csv").write_text("日期,坐席,开始,结束\n2026-11-02,b,8:00,9:00\n", encoding="gb18030")
    (row,) = warnings(problems_of(file, SMALL + agents + "roster: days.csv\n"))
    assert "days.csv:2: there is no agent 'b'" in row


@pytest.mark.parametrize(
    ("recording", "message"),
    [("on", "recorded without being told"), ("by notice", "nothing is recorded: the site has no notice")],
)
def test_recording_wants_a_notice(file: Path, recording: str, message: str) -> None:
    """The law wants callers told: a site that records and has no notice is warned, for site and line."""
    text = f"""
recording: {{lines: {recording}}}
lines: [{{id: "1", name: 线, dids: [1], recording: {recording}}}, {{id: "2", name: 线, queue: "1"}}]
queues: [{{name: "1", title: 队}}]
"""
    problems = problems_of(file, text)
    assert [message in told for told in warnings(problems)] == [True, True] and len(problems) == 2
    told = "notice: n\nprompts: [{name: n, text: 本次通话将被录音}]\n"
    assert problems_of(file, text + told) == []
    site = load_site(file, {})
    assert site.records and site.recorded(site.line("2")) is site.recorded(site.line("1"))


def test_nothing_is_recorded_unasked(file: Path) -> None:
    """A site that says nothing records nothing; `off` on a line is off whatever the site says."""
    assert problems_of(file, SMALL) == []
    assert not load_site(file, {}).records
