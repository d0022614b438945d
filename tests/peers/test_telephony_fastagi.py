"""The FastAGI server with a scripted Asterisk: menus, many calls, probes, and an orderly end."""

from __future__ import annotations

import logging
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from hotline.core.errors import SetupError
from hotline.telephony.fastagi import FastAgiServer, Handler
from hotline.telephony.fastagi_errors import (
    AgiCommandFailed,
    AgiHangup,
    AgiProtocolError,
    AgiTimeout,
    AgiUnsafeValue,
)
from hotline.telephony.fastagi_session import AgiSession

WITHIN_SECONDS = 10.0

#: A header as Asterisk 22 writes it.
HEADER = """\
agi_network: yes
agi_network_script: menu/12315?line=12315&from=%E4%B8%AD
agi_request: agi://127.0.0.1:4573/menu/12315?line=12315
agi_channel: PJSIP/trunk-00000001
agi_language: zh
agi_type: PJSIP
agi_uniqueid: t1-1795243027.25
agi_version: 22.10.1
agi_callerid: 13800000001
agi_calleridname: 张三😀
agi_callingpres: 0
agi_dnid: 12315
agi_rdnis: unknown
agi_context: in
agi_extension: 12315
agi_priority: 2
agi_enhanced: 0.0
agi_accountcode:\x20
agi_threadid: 140271822018240
agi_arg_1: arg one
agi_arg_2: 二

""".encode()

Script = Callable[[str], bytes]


class Channel:
    """One channel of Asterisk: sends the header, answers commands as the script says."""

    def __init__(self, port: int, script: Script | None = None, header: bytes = HEADER) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.settimeout(WITHIN_SECONDS)
        self.commands: list[str] = []
        self.variables: dict[str, str] = {"CHANNEL(linkedid)": "t1-1795243027.24"}
        self.script = script or (lambda command: b"")
        self.socket.sendall(header)

    def run(self) -> None:
        """Answer until the server closes the session."""
        with self.socket, self.socket.makefile("rb") as lines:
            while line := lines.readline():
                command = line.decode().rstrip("\n")
                self.commands.append(command)
                try:
                    self.socket.sendall(self.script(command) or self._usual(command))
                except OSError:
                    return

    def _usual(self, command: str) -> bytes:
        if match := re.fullmatch(r'SET VARIABLE "(.*?)" "(.*)"', command):
            self.variables[match[1]] = re.sub(r"\\(.)", r"\1", match[2])
            return b"200 result=1\n"
        if match := re.fullmatch(r'GET (?:FULL )?VARIABLE "(?:\$\{)?(.*?)\}?"', command):
            value = self.variables.get(match[1])
            return f"200 result=1 ({value})\n".encode() if value is not None else b"200 result=0\n"
        if command == "CHANNEL STATUS":
            return b"200 result=6\n"
        return b"200 result=0 endpos=100\n" if "FILE" in command else b"200 result=0\n"


@contextmanager
def serving(handler: Handler, **options: float | int) -> Iterator[FastAgiServer]:
    """A server with this handler on a free port."""
    server = FastAgiServer("127.0.0.1", 0, handler, **options)  # type: ignore[arg-type]
    server.start()
    try:
        yield server
    finally:
        assert server.stop(drain_seconds=WITHIN_SECONDS)


def called(
    handler: Handler, script: Script | None = None, header: bytes = HEADER
) -> tuple[Channel, FastAgiServer]:
    """One call through a handler, to its end."""
    with serving(handler) as server:
        channel = Channel(server.port, script, header)
        channel.run()
    return channel, server


def settled(condition: Callable[[], bool]) -> bool:
    """Whether a state of the server's threads is reached in time."""
    deadline = time.monotonic() + WITHIN_SECONDS
    while not condition() and time.monotonic() < deadline:
        threading.Event().wait(0.005)
    return condition()


def test_what_a_handler_knows_of_a_call() -> None:
    """The header is typed; the call's id is asked for once."""
    seen: list[AgiSession] = []

    def handler(session: AgiSession) -> None:
        assert session.linkedid == session.linkedid == "t1-1795243027.24"
        seen.append(session)

    channel, server = called(handler)
    env = seen[0].env
    assert (env.uniqueid, env.channel, env.language) == ("t1-1795243027.25", "PJSIP/trunk-00000001", "zh")
    assert (env.caller_number, env.caller_name, env.dnid) == ("13800000001", "张三😀", "12315")
    assert (env.context, env.extension, env.priority) == ("in", "12315", "2")
    assert env.network_script == "menu/12315" and env.query == {"line": "12315", "from": "中"}
    assert env.args == ("arg one", "二")
    assert channel.commands == ['GET FULL VARIABLE "${CHANNEL(linkedid)}"']
    assert server.counters.finished == 1


def test_a_caller_without_a_number() -> None:
    """Asterisk's `unknown` is an empty string."""
    seen: list[AgiSession] = []
    header = HEADER.replace(b"13800000001", b"unknown").replace("张三😀".encode(), b"\xc4\xe3")
    called(seen.append, header=header)
    assert seen[0].env.caller_number == "" and seen[0].env.caller_name == "\ufffd\ufffd"


def test_variables_come_back_as_they_were_set() -> None:
    """Quotes, backslashes, Chinese, emoji and U+2028 survive; what is not set is empty."""
    values = ['a" "b\\', "张\u2028三 😀", "${EXTEN} (x) y=z", ""]
    got: list[str] = []

    def handler(session: AgiSession) -> None:
        for value in values:
            session.set_variable("RESULT", value)
            got.append(session.get_variable("RESULT"))
        got.append(session.get_variable("NOSUCH"))
        with pytest.raises(AgiUnsafeValue):
            session.set_variable("RESULT", 'x"\nEXEC System "id"')

    channel, _ = called(handler)
    assert got == [*values, ""]
    assert not any("System" in command for command in channel.commands)


def test_a_key_ends_a_prompt() -> None:
    """The key pressed while a prompt plays is returned, and the prompts behind it are not played."""

    def script(command: str) -> bytes:
        return b"200 result=50 endpos=800\n" if "second" in command else b""

    got: list[str] = []
    channel, _ = called(lambda s: got.append(s.play_and_get_digit(["first", "second", "third"], 5)), script)
    assert got == ["2"]
    assert channel.commands == [
        'STREAM FILE "first" "0123456789*#" 0',
        'STREAM FILE "second" "0123456789*#" 0',
    ]


def test_keys_ahead_of_the_prompts_are_taken_one_by_one() -> None:
    """A caller who knows the menu presses 1, 0 at once: each ends the prompt that begins."""
    ahead = ["1", "0"]

    def script(command: str) -> bytes:
        return f"200 result={ord(ahead.pop(0))} endpos=0\n".encode() if ahead else b""

    got: list[str] = []

    def handler(session: AgiSession) -> None:
        got.extend(session.play_and_get_digit([f"level-{level}", "choices"], 5) for level in range(2))

    channel, _ = called(handler, script)
    assert got == ["1", "0"]
    assert [command.split('"')[1] for command in channel.commands] == ["level-0", "level-1"]


def test_silence_behind_the_last_prompt_is_an_empty_answer() -> None:
    """The last prompt and the wait are one command, so that no key falls between them."""
    got: list[str] = []
    channel, _ = called(lambda s: got.append(s.play_and_get_digit(["first", "last"], 2.5)))
    assert got == [""]
    assert channel.commands[1] == 'GET OPTION "last" "0123456789*#" 2500'


def test_a_missing_prompt_does_not_end_a_menu() -> None:
    """The caller still has the time to press; the name of the file is kept for the operator."""

    def script(command: str) -> bytes:
        if "nosuch" in command:
            return b"200 result=-1 endpos=0\n"
        return b"200 result=53\n" if command.startswith("WAIT FOR DIGIT") else b""

    got: list[tuple[str, list[str]]] = []

    def handler(session: AgiSession) -> None:
        got.append((session.play_and_get_digit(["nosuch-1", "nosuch-2"], 5), session.missing_prompts))

    channel, _ = called(handler, script)
    assert got == [("5", ["nosuch-1", "nosuch-2"])]
    assert re.fullmatch(r"WAIT FOR DIGIT (49\d\d|5000)", channel.commands[-1])


def test_waiting_passes_over_keys_that_do_not_count() -> None:
    """Where only some keys are asked for, others do not end the wait."""
    pressed = ["9", "2"]

    def script(command: str) -> bytes:
        return f"200 result={ord(pressed.pop(0))}\n".encode()

    got: list[str] = []
    called(lambda s: got.append(s.play_and_get_digit([], 5, keys="12")), script)
    assert got == ["2"] and not pressed


def test_each_method_is_its_command() -> None:
    """What a handler may do besides prompts."""
    results: list[str] = []

    def handler(session: AgiSession) -> None:
        session.answer()
        session.verbose('menu "12315"', 2)
        session.set_music(True, "quiet")
        session.set_music(False)
        results.append(session.exec_app("Playback", "a&b,skip"))
        results.append(session.wait_for_digit(0.25))
        session.hangup()

    channel, _ = called(handler)
    assert channel.commands == [
        "ANSWER",
        'VERBOSE "menu \\"12315\\"" 2',
        'SET MUSIC on "quiet"',
        "SET MUSIC off",
        'EXEC Playback "a&b,skip"',
        "WAIT FOR DIGIT 250",
        "HANGUP",
    ]
    assert results == ["0", ""]


def test_an_application_that_is_not_there() -> None:
    """Result -2 is a failed command; a name that is none is never sent."""

    def handler(session: AgiSession) -> None:
        with pytest.raises(AgiCommandFailed, match="no application Nope"):
            session.exec_app("Nope")
        with pytest.raises(AgiUnsafeValue):
            session.exec_app('System "id"', "x")
        session.set_variable("DONE", "1")

    channel, server = called(handler, lambda command: b"200 result=-2\n" if "EXEC" in command else b"")
    assert channel.variables["DONE"] == "1" and len(channel.commands) == 2
    assert server.counters.finished == 1


def test_a_reply_that_makes_no_sense_ends_the_session() -> None:
    """The package's own errors do not get out; ours says what happened."""
    raised: list[Exception] = []

    def handler(session: AgiSession) -> None:
        try:
            session.wait_for_digit(1)
        except AgiProtocolError as error:
            raised.append(error)
            raise

    _, server = called(handler, lambda command: b"200 result=many\n")
    assert raised and server.counters.failures == 1
    _, server = called(handler, lambda command: b"200 result=7\n")
    assert server.counters.failures == 1


def test_a_caller_who_leaves_is_no_failure() -> None:
    """A hang-up in the middle of a prompt ends the handler by AgiHangup, and is counted as what it is."""
    raised: list[type[BaseException]] = []

    def handler(session: AgiSession) -> None:
        try:
            session.play_and_get_digit(["a", "b"], 5)
        except AgiHangup as error:
            raised.append(type(error))
            raise

    _, server = called(handler, lambda command: b"HANGUP\n")
    assert raised == [AgiHangup]
    assert (server.counters.hangups, server.counters.failures) == (1, 0)


def test_a_fault_in_a_handler_is_the_dialplans_turn(caplog: pytest.LogCaptureFixture) -> None:
    """The session is closed, the fault logged under the call's id and no other call notices."""
    first = threading.Event()

    def handler(session: AgiSession) -> None:
        if not first.is_set():
            first.set()
            raise LookupError("a fault in the handler")
        session.set_variable("RESULT", "queue")

    with serving(handler) as server:
        Channel(server.port).run()
        channel = Channel(server.port)
        channel.run()
    assert channel.variables["RESULT"] == "queue"
    assert (server.counters.failures, server.counters.finished) == (1, 1)
    assert "t1-1795243027.25" in caplog.text and "13800000001" not in caplog.text


def test_a_frozen_asterisk_does_not_hold_a_thread() -> None:
    """A command that is never answered ends the session in time."""

    def handler(session: AgiSession) -> None:
        with pytest.raises(AgiTimeout):
            session.get_variable("A")
        with pytest.raises(AgiTimeout):
            session.get_variable("A")

    with serving(handler, command_timeout_seconds=0.1) as server:
        channel = Channel(server.port)
        channel.socket.recv(100)
        assert channel.socket.recv(100) == b""
        channel.socket.close()
        assert settled(lambda: server.counters.finished == 1)


def test_two_hundred_calls_at_once() -> None:
    """Every call gets its own answers, whoever else is on the line."""
    inside = threading.Barrier(200, timeout=60)

    def handler(session: AgiSession) -> None:
        inside.wait()
        for turn in range(5):
            session.set_variable("MINE", f"{session.env.uniqueid}/{turn}")
            assert session.get_variable("MINE") == f"{session.env.uniqueid}/{turn}"

    with serving(handler, header_timeout_seconds=60, command_timeout_seconds=60) as server:
        channels = [
            Channel(server.port, header=HEADER.replace(b"1795243027.25", b"%d.1" % number))
            for number in range(200)
        ]
        threads = [threading.Thread(target=channel.run) for channel in channels]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert server.counters.finished == 200 and server.counters.failures == 0
    assert {channel.variables["MINE"] for channel in channels} == {
        f"t1-{number}.1/4" for number in range(200)
    }


@pytest.mark.parametrize(
    "data", [b"", b"GET / HTTP/1.0\r\n\r\n", b"agi_network: yes\nagi_arg_1: x", b"\x16\x03\x01\n"]
)
def test_a_port_probe_costs_nothing(data: bytes) -> None:
    """Connect and close, with or without garbage: counted, and the next call is served."""
    with serving(lambda session: session.set_variable("RESULT", "queue")) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as probe:
            probe.sendall(data)
        assert settled(lambda: server.counters.no_calls == 1 and server.active_sessions == 0)
        channel = Channel(server.port)
        channel.run()
    assert channel.variables["RESULT"] == "queue" and server.counters.sessions == 1


def test_a_silent_connection_is_closed_at_the_header_timeout() -> None:
    """Whoever connects and says nothing loses the connection, and others do not wait for it."""
    with serving(
        lambda session: session.set_variable("RESULT", "queue"), header_timeout_seconds=0.3
    ) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as silent:
            silent.settimeout(WITHIN_SECONDS)
            channel = Channel(server.port)
            channel.run()
            assert channel.variables["RESULT"] == "queue" and server.counters.no_calls == 0
            assert silent.recv(1) == b""
        assert settled(lambda: server.counters.no_calls == 1)


def test_a_header_flood_is_bounded() -> None:
    """A header without end is cut off at the limit, not collected."""
    with serving(lambda session: None) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as flood, pytest.raises(OSError):
            flood.settimeout(WITHIN_SECONDS)
            for number in range(1_000_000):
                flood.sendall(b"agi_arg_%d: %s\n" % (number, b"x" * 500))
        assert settled(lambda: server.counters.no_calls == 1 and server.active_sessions == 0)


def test_a_call_beyond_the_bound_goes_on_at_once() -> None:
    """Full means closed at once; a place that is free again is used."""
    inside, leave = threading.Semaphore(0), threading.Event()

    def handler(session: AgiSession) -> None:
        inside.release()
        leave.wait(WITHIN_SECONDS)

    with serving(handler, max_sessions=2) as server:
        busy = [Channel(server.port) for _ in range(2)]
        for _ in busy:
            assert inside.acquire(timeout=WITHIN_SECONDS)
        turned_away = Channel(server.port)
        try:
            assert turned_away.socket.recv(1) == b""
        except ConnectionResetError:
            pass  # its header was not read
        finally:
            turned_away.socket.close()
        leave.set()
        for channel in busy:
            channel.run()
        assert settled(lambda: server.active_sessions == 0)
        Channel(server.port).run()
    assert server.counters.turned_away == 1 and server.counters.finished == 3


def test_stopping_lets_calls_finish() -> None:
    """Nobody new is taken, who is in a menu gets to its end."""
    inside, stopping = threading.Event(), threading.Event()

    def handler(session: AgiSession) -> None:
        inside.set()
        assert stopping.wait(WITHIN_SECONDS)
        session.set_variable("RESULT", "queue")

    server = FastAgiServer("127.0.0.1", 0, handler)
    server.start()
    channel = Channel(server.port)
    runner = threading.Thread(target=channel.run)
    runner.start()
    assert inside.wait(WITHIN_SECONDS)
    stopper = threading.Thread(target=server.stop)
    stopper.start()

    def refused() -> bool:
        try:
            socket.create_connection(("127.0.0.1", server.port)).close()
        except OSError:
            return True
        return False

    assert settled(refused)
    assert stopper.is_alive()
    stopping.set()
    stopper.join(WITHIN_SECONDS)
    runner.join(WITHIN_SECONDS)
    assert channel.variables["RESULT"] == "queue" and server.counters.finished == 1


def test_stopping_cuts_off_what_does_not_end(caplog: pytest.LogCaptureFixture) -> None:
    """At the deadline a call that waits for a key is closed; stopping twice is as good as once."""
    waiting = threading.Event()

    def script(command: str) -> bytes:
        waiting.set()
        threading.Event().wait(0.5)
        return b"200 result=0\n"

    server = FastAgiServer("127.0.0.1", 0, lambda session: _wait_for_ever(session))
    server.start()
    channel = Channel(server.port, script)
    runner = threading.Thread(target=channel.run)
    runner.start()
    assert waiting.wait(WITHIN_SECONDS)
    with caplog.at_level(logging.WARNING):
        assert server.stop(drain_seconds=0.1)
    assert server.stop(drain_seconds=0.1)
    runner.join(WITHIN_SECONDS)
    assert server.active_sessions == 0 and server.counters.hangups == 1
    assert "1 calls were cut off" in caplog.text


def _wait_for_ever(session: AgiSession) -> None:
    while True:
        session.wait_for_digit(60)


def test_a_taken_port_is_said_in_words() -> None:
    """The error names the address and what to do; a server that never started can be stopped."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = FastAgiServer("127.0.0.1", taken.getsockname()[1], lambda session: None)
        with pytest.raises(SetupError, match=r"cannot listen on 127\.0\.0\.1") as caught:
            server.start()
        assert "free the port" in caught.value.hint
        assert server.stop()
