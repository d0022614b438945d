"""The FastAGI server: a thread for each call, a bound on their number, and an orderly end.

    server = FastAgiServer("127.0.0.1", 4573, handler)
    server.start()
    ...
    server.stop(drain_seconds=10)

The dialplan must not trust AGISTATUS: Asterisk reports SUCCESS even when this server ends in the middle
of a menu. A handler's last act is to set a result variable, and the dialplan looks at that.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hotline.core.errors import SetupError
from hotline.telephony.fastagi_errors import AgiEnded, AgiError, AgiHangup
from hotline.telephony.fastagi_fence import FencedAgi
from hotline.telephony.fastagi_session import AgiSession

logger = logging.getLogger(__name__)

Handler = Callable[[AgiSession], None]

BACKLOG: Final = 256

#: After the machine refused a connection (no descriptors left) the next try waits this long.
ACCEPT_PAUSE_SECONDS: Final = 0.1


@dataclass(slots=True)
class FastAgiCounters:
    """What happened since the server was made; only ever grows.

    Attributes:
        sessions: calls handed to the handler.
        finished: of these, those whose handler returned.
        hangups: those whose caller left.
        failures: those that ended by any other error; the dialplan took over.
        turned_away: connections closed at once because `max_sessions` were in progress.
        no_calls: connections that were no AGI session: probes, silence, garbage.
    """

    sessions: int = 0
    finished: int = 0
    hangups: int = 0
    failures: int = 0
    turned_away: int = 0
    no_calls: int = 0


class FastAgiServer:
    """Accepts AGI sessions and runs a handler for each, in a thread of its own.

    Policy at the bound: a connection beyond `max_sessions` is closed at once, so that its caller goes on in
    the dialplan without waiting.

    Args:
        host: where to listen.
        port: likewise; 0 for any free port.
        handler: called with each session, on the session's thread. What it raises ends the session.
        max_sessions: calls in the handler at the same time.
        header_timeout_seconds: for the header, after the connection.
        command_timeout_seconds: for a command that has nothing to wait for.

    Attributes:
        counters: for the metrics.
        port: the true port, once started.
    """

    def __init__(
        self,
        host: str,
        port: int,
        handler: Handler,
        *,
        max_sessions: int = 400,
        header_timeout_seconds: float = 5.0,
        command_timeout_seconds: float = 5.0,
    ) -> None:
        self.host = host
        self.port = port
        self.counters = FastAgiCounters()
        self._handler = handler
        self._max_sessions = max_sessions
        self._header_timeout_seconds = header_timeout_seconds
        self._command_timeout_seconds = command_timeout_seconds
        self._listener: socket.socket | None = None
        self._acceptor: threading.Thread | None = None
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._sessions: dict[socket.socket, threading.Thread] = {}

    @property
    def active_sessions(self) -> int:
        """Connections in progress."""
        with self._lock:
            return len(self._sessions)

    def start(self) -> None:
        """Listen, and accept from now on.

        Raises:
            SetupError: the address cannot be had.
        """
        if self._listener is not None:
            raise RuntimeError("this server was started before")
        try:
            family = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)[0][0]
            self._listener = socket.create_server((self.host, self.port), family=family, backlog=BACKLOG)
        except OSError as error:
            raise SetupError(
                f"FastAGI cannot listen on {self.host}:{self.port}: {error.strerror or error}",
                hint="free the port, or give telephony another one in the site file",
            ) from None
        self.port = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, name="agi-accept", daemon=True)
        self._acceptor.start()

    def stop(self, drain_seconds: float = 10.0) -> bool:
        """Stop accepting, let calls finish until the deadline, then cut the rest off; idempotent.

        Returns:
            Whether every session's thread has ended.
        """
        self._stopping.set()
        if self._listener is not None:
            try:
                self._listener.shutdown(socket.SHUT_RDWR)  # wakes the accept, which closing would not
            except OSError:
                logger.debug("FastAGI: the listener was shut down before")
        if self._acceptor is not None:
            self._acceptor.join()
        self._join(time.monotonic() + drain_seconds)
        with self._lock:
            left = list(self._sessions)
            for connection in left:
                _shut(connection)
        if left:
            logger.warning("FastAGI: %d calls were cut off at the end of the drain", len(left))
        return self._join(time.monotonic() + 2.0)

    def _join(self, deadline: float) -> bool:
        with self._lock:
            threads = list(self._sessions.values())
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _accept(self) -> None:
        listener = self._listener
        assert listener is not None  # noqa: S101 - for the type checker; `start` made it
        with listener:
            while not self._stopping.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError as error:
                    if not self._stopping.is_set():
                        logger.error("FastAGI: a connection could not be accepted: %s", error.strerror)
                        self._stopping.wait(ACCEPT_PAUSE_SECONDS)
                    continue
                self._admit(connection)

    def _admit(self, connection: socket.socket) -> None:
        thread = threading.Thread(target=self._serve, args=(connection,), name="agi-session", daemon=True)
        with self._lock:
            full = len(self._sessions) >= self._max_sessions
            if not full:
                self._sessions[connection] = thread
        if full:
            self.counters.turned_away += 1
            logger.warning(
                "FastAGI: %d calls in progress; another was left to the dialplan", self._max_sessions
            )
            connection.close()
            return
        try:
            thread.start()
        except RuntimeError:  # the machine has no more threads
            logger.exception("FastAGI: no thread for a call; it was left to the dialplan")
            self._forget(connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            agi = FencedAgi(
                connection,
                header_timeout_seconds=self._header_timeout_seconds,
                command_timeout_seconds=self._command_timeout_seconds,
            )
            session = AgiSession(agi)
        except (AgiEnded, OSError) as error:
            self._count("no_calls")
            logger.info("FastAGI: a connection was no call: %s", error)
            self._forget(connection)
            return
        try:
            self._handle(session)
        finally:
            self._forget(connection)

    def _handle(self, session: AgiSession) -> None:
        call_id = session.env.uniqueid
        self._count("sessions")
        try:
            self._handler(session)
            self._count("finished")
        except AgiHangup:
            self._count("hangups")
            logger.info("call %s: the caller left the menu", call_id)
        except AgiError as error:
            self._count("failures")
            logger.warning("call %s: the session failed, the dialplan goes on: %s", call_id, error)
        except Exception:
            self._count("failures")
            logger.exception("call %s: the handler failed, the dialplan goes on", call_id)

    def _count(self, name: str) -> None:
        with self._lock:
            setattr(self.counters, name, getattr(self.counters, name) + 1)

    def _forget(self, connection: socket.socket) -> None:
        with self._lock:
            self._sessions.pop(connection, None)
            connection.close()


def _shut(connection: socket.socket) -> None:
    """End a connection whose thread may be reading it."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        logger.debug("FastAGI: a session's connection was gone already")
