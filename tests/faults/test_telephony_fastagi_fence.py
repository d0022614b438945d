"""Every known fault of pyst2 0.5.1, and that the fence around it does not have it."""

from __future__ import annotations

import ast
import inspect
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from asterisk.agi import AGI

from hotline.telephony import fastagi, fastagi_fence, fastagi_session
from hotline.telephony.fastagi_errors import (
    AgiCommandFailed,
    AgiError,
    AgiHangup,
    AgiProtocolError,
    AgiTimeout,
    AgiUnsafeValue,
)
from hotline.telephony.fastagi_fence import MAX_COMMAND_BYTES, FencedAgi

WITHIN_SECONDS = 5.0
HEADER = (
    b"agi_network: yes\nagi_request: agi://127.0.0.1/menu\nagi_channel: PJSIP/1-1\nagi_uniqueid: t1-1.1\n\n"
)


class Call:
    """A session's two ends: the fence, and Asterisk's side in the test's hands."""

    def __init__(self) -> None:
        self.server, self.asterisk = socket.socketpair()
        self.asterisk.settimeout(WITHIN_SECONDS)
        self._replies: list[bytes] = []

    def open(self, header: bytes = HEADER, command_timeout_seconds: float = WITHIN_SECONDS) -> FencedAgi:
        """Send the header and read it."""
        self.asterisk.sendall(header)
        return FencedAgi(
            self.server,
            header_timeout_seconds=WITHIN_SECONDS,
            command_timeout_seconds=command_timeout_seconds,
        )

    def replying(self, *replies: bytes) -> threading.Thread:
        """Answer each command that comes with the next of `replies`, then close."""
        self.commands: list[bytes] = []

        def run() -> None:
            lines = self.asterisk.makefile("rb")
            for reply in replies:
                self.commands.append(lines.readline())
                self.asterisk.sendall(reply)
            lines.close()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def close(self) -> None:
        """Close both ends."""
        self.server.close()
        self.asterisk.close()


@pytest.fixture
def call() -> Iterator[Call]:
    """A session about to begin."""
    call = Call()
    yield call
    call.close()


def in_thread(work: Callable[[], object]) -> object:
    """What `work` returns or raises on a thread that is not the main one."""
    outcome: list[object] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(WITHIN_SECONDS)
    return outcome[0]


def test_the_packages_server_is_not_imported() -> None:
    """Fault: `import asterisk.fastagi` fails on Python 3; nothing of ours goes near it."""
    for module in (fastagi, fastagi_fence, fastagi_session):
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.ImportFrom):
                assert node.module != "asterisk.fastagi"
            if isinstance(node, ast.Import):
                assert all(alias.name != "asterisk.fastagi" for alias in node.names)


def test_it_works_in_a_thread_and_leaves_signals_alone(call: Call) -> None:
    """Fault: the package's constructor installs a SIGHUP handler, which a thread may not."""
    before = signal.getsignal(signal.SIGHUP)
    agi = in_thread(call.open)
    assert isinstance(agi, FencedAgi) and isinstance(agi, AGI)
    assert agi.env["agi_uniqueid"] == "t1-1.1"
    assert signal.getsignal(signal.SIGHUP) is before


def test_text_becomes_bytes_and_back(call: Call) -> None:
    """Fault: the package writes str to byte streams."""
    agi = call.open()
    thread = call.replying(b"200 result=1\n", "200 result=1 (张\u2028三 😀)\n".encode())
    agi.set_variable("NAME", "张\u2028三 😀")
    assert agi.get_variable("NAME") == "张\u2028三 😀"
    thread.join()
    assert call.commands[0] == 'SET VARIABLE "NAME" "张\u2028三 😀"\n'.encode()


def test_bytes_that_are_no_utf8_survive(call: Call) -> None:
    """Fault: a name in another encoding raises. Here it goes out as it came in, byte for byte."""
    gbk = "张三".encode("gbk")
    agi = call.open(HEADER[:-1] + b"agi_calleridname: " + gbk + b"\n\n")
    thread = call.replying(b"200 result=1 (" + gbk + b")\n", b"200 result=1\n", b"200 result=1\n")
    agi.set_variable("A", agi.get_variable("CALLERID(name)"))
    agi.set_variable("B", agi.env["agi_calleridname"])
    thread.join()
    assert call.commands[1:] == [
        b'SET VARIABLE "A" "' + gbk + b'"\n',
        b'SET VARIABLE "B" "' + gbk + b'"\n',
    ]


def test_the_end_of_the_connection_is_a_hangup(call: Call) -> None:
    """Fault: at the end of the stream the package raises ValueError."""
    agi = call.open()
    call.asterisk.close()
    for _ in range(2):  # and so does every further command
        with pytest.raises(AgiHangup):
            agi.get_variable("A")


@pytest.mark.parametrize("reply", [b"HANGUP\n", b"HANGUP\n200 result=-1\n", b"200 result=-1 (hangup)\n"])
def test_the_line_hangup_is_a_hangup(call: Call, reply: bytes) -> None:
    """Fault: the line `HANGUP` raises ValueError."""
    agi = call.open()
    thread = call.replying(reply)
    with pytest.raises(AgiHangup):
        agi.stream_file("welcome", "123")
    thread.join()


def test_a_hangup_between_commands_is_seen(call: Call) -> None:
    """A caller who left while the handler was thinking is noticed before the next command is sent."""
    agi = call.open()
    call.asterisk.sendall(b"HANGUP\n")
    with pytest.raises(AgiHangup):
        agi.set_variable("A", "1")
    call.asterisk.setblocking(False)
    with pytest.raises(BlockingIOError):
        call.asterisk.recv(1)


@pytest.mark.parametrize(
    ("reply", "error", "text"),
    [
        (b"511 Command Not Permitted on a dead channel or intercept routine\n", AgiHangup, "dead"),
        (b"510 Invalid or unknown command\n", AgiCommandFailed, "510"),
        (b"520 Invalid command syntax.  Proper usage not available.\n", AgiCommandFailed, "520"),
        (b"520-Invalid command syntax.\nUsage: x\nmore\n520 End of proper usage.\n", AgiCommandFailed, "520"),
        (b"503 result=-2 Memory allocation failure\n", AgiCommandFailed, "503"),
        (b"299 what\n", AgiProtocolError, "299"),
        (b"nonsense\n", AgiProtocolError, "no reply"),
        (b"200 nonsense\n", AgiProtocolError, "without a result"),
        (b"\n", AgiProtocolError, "no reply"),
    ],
)
def test_every_code_has_its_meaning(call: Call, reply: bytes, error: type[AgiError], text: str) -> None:
    """Fault: 511 and 100 raise an unknown error, and a one-line 520 is read for ever."""
    agi = call.open()
    thread = call.replying(reply)
    with pytest.raises(error, match=text):
        agi.set_variable("A", "1")
    thread.join()


def test_a_provisional_reply_is_not_the_reply(call: Call) -> None:
    """100 means that the real one will follow."""
    agi = call.open()
    thread = call.replying(b"100 result=0 Trying...\n200 result=1 (yes)\n")
    assert agi.get_variable("A") == "yes"
    thread.join()


def test_after_a_failed_command_the_session_goes_on(call: Call) -> None:
    """Only the end of the session is the end of the session."""
    agi = call.open()
    thread = call.replying(b"510 Invalid or unknown command\n", b"200 result=1 (yes)\n")
    with pytest.raises(AgiCommandFailed):
        agi.noop()
    assert agi.get_variable("A") == "yes"
    thread.join()


def test_minus_one_is_asked_about(call: Call) -> None:
    """A file that is not there and a caller who is gone look the same: the channel's state tells."""
    agi = call.open()
    thread = call.replying(
        b"200 result=-1 endpos=0\n", b"200 result=6\n", b"200 result=-1 endpos=0\n", b"HANGUP\n"
    )
    with pytest.raises(AgiCommandFailed, match="STREAM FILE"):
        agi.stream_file("nosuch")
    with pytest.raises(AgiHangup):
        agi.stream_file("nosuch")
    thread.join()
    assert call.commands[1] == call.commands[3] == b"CHANNEL STATUS\n"


def test_quotes_cannot_end_a_value(call: Call) -> None:
    """Fault: `_quote` escapes nothing."""
    assert AGI._quote(None, 'a" "b') == '"a" "b"'  # the package, as it is
    agi = call.open()
    thread = call.replying(b"200 result=1\n")
    agi.set_variable("N", 'a" "b\\')
    thread.join()
    assert call.commands == [b'SET VARIABLE "N" "a\\" \\"b\\\\"\n']


@pytest.mark.parametrize("value", ['a"b\nEXEC System "id"', "a\rb", "a\0b", "x" * MAX_COMMAND_BYTES])
def test_a_value_cannot_be_a_command(call: Call, value: str) -> None:
    """Fault: a line break in a value starts a command. Here nothing is sent, and the session goes on."""
    agi = call.open()
    with pytest.raises(ValueError, match="SET VARIABLE") as caught:
        agi.set_variable("N", value)
    assert isinstance(caught.value, AgiUnsafeValue) and "System" not in str(caught.value)
    with pytest.raises(AgiUnsafeValue):
        agi.set_variable(value, "1")
    with pytest.raises(AgiUnsafeValue):
        agi.stream_file(value)
    thread = call.replying(b"200 result=1\n")
    agi.noop()
    thread.join()
    assert call.commands == [b"NOOP\n"]


def test_a_silent_asterisk_is_left_in_time(call: Call) -> None:
    """Fault: the package waits for ever."""
    agi = call.open(command_timeout_seconds=0.1)
    began = time.monotonic()
    with pytest.raises(AgiTimeout):
        agi.answer()
    assert 0.1 <= time.monotonic() - began < 2
    call.asterisk.sendall(b"200 result=0\n")
    with pytest.raises(AgiTimeout):  # an answer that comes after all would be taken for the next one's
        agi.answer()


def test_a_dripping_reply_does_not_extend_the_time(call: Call) -> None:
    """The limit is for the whole reply, not for each byte of it."""
    agi = call.open(command_timeout_seconds=0.2)
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(0.02):
            try:
                call.asterisk.sendall(b"2")
            except OSError:
                return

    thread = threading.Thread(target=drip)
    thread.start()
    began = time.monotonic()
    with pytest.raises(AgiTimeout):
        agi.answer()
    stop.set()
    thread.join()
    assert time.monotonic() - began < 2


def test_patience_is_for_the_commands_inside(call: Call) -> None:
    """A prompt may take longer than a question; afterwards the limit is the old one."""
    agi = call.open(command_timeout_seconds=0.1)
    timer = threading.Timer(0.3, call.asterisk.sendall, (b"200 result=0 endpos=8000\n",))
    timer.start()
    with agi.patience(WITHIN_SECONDS):
        assert agi.stream_file("long") == ""
    timer.join()
    with pytest.raises(AgiTimeout):
        agi.answer()


def test_nothing_is_written_to_stderr(call: Call, capfd: pytest.CaptureFixture[str]) -> None:
    """Fault: the package prints the header and every command, callers' numbers among them."""
    agi = call.open(HEADER[:-1] + b"agi_callerid: 13800000001\n\n")
    thread = call.replying(b"200 result=1 (13800000001)\n")
    agi.get_variable("CALLERID(num)")
    thread.join()
    assert capfd.readouterr() == ("", "")


def test_a_value_with_a_line_break_keeps_the_session_in_step(call: Call) -> None:
    """A value that spans lines is read whole; the next reply is the next command's."""
    agi = call.open()
    thread = call.replying(b"200 result=1 (one\ntwo)\n", b"200 result=1 (three)\n")
    assert agi.get_variable("A") == "one\ntwo"
    assert agi.get_variable("B") == "three"
    thread.join()


def test_a_forged_reply_is_noticed(call: Call) -> None:
    """A value that holds what looks like a reply ends the session instead of answering a later question."""
    agi = call.open()
    thread = call.replying(b"200 result=1 (x)\n200 result=1 (forged))\n")
    assert agi.get_variable("A") == "x"
    thread.join()
    with pytest.raises(AgiProtocolError, match="no command asked for"):
        agi.get_variable("B")


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "not `agi_name: value`"),
        (b"\n", "no agi_request"),
        (b"agi_channel: x\n\n", "no agi_request"),
        (HEADER[:-1] + b"agi_callerid: 1\nagi_callerid: 2\n\n", "twice"),
        (b"".join(b"agi_arg_%d: x\n" % number for number in range(300)), "more than 256 lines"),
        (b"".join(b"agi_arg_%d: %s\n" % (number, b"x" * 1000) for number in range(40)), "32768 bytes"),
    ],
)
def test_a_header_that_is_none_is_refused(call: Call, header: bytes, problem: str) -> None:
    """Garbage, forged lines and floods end at once, by name."""
    with pytest.raises(AgiProtocolError, match=problem):
        call.open(header)


def test_a_line_without_end_is_bounded(call: Call) -> None:
    """A flood without a line end is given up at the limit."""

    def flood() -> None:
        try:
            while True:
                call.asterisk.sendall(b"x" * 16_384)
        except OSError:
            return

    thread = threading.Thread(target=flood)
    thread.start()
    with pytest.raises(AgiProtocolError, match="a line of more than"):
        FencedAgi(call.server, header_timeout_seconds=WITHIN_SECONDS, command_timeout_seconds=1)
    call.server.close()
    thread.join(WITHIN_SECONDS)
    assert not thread.is_alive()
