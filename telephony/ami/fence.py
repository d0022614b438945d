"""asterisk-ami 0.1.7 behind a fence: one connection, one thread, none of the package's known faults.

The package gives the client class, its listeners, and the Action, Event and Response objects. What this
subclass replaces, and why:

- `timeout` ended the reader after three quiet seconds: here quiet is nothing; a selector waits.
- a half-open peer was never noticed or left: `disconnect` works from any thread, at any stage, and
  the caller's pings say when.
- an exception in a listener ended the reader: here it is counted and logged.
- `splitlines()` let a name forge headers: `wire.AmiParser` knows CR LF only.
- values were written as they are: only what `wire.SafeAction` accepts is sent.
- futures leaked, lists were cut to their first packet: `client.AmiClient` matches answers by ActionID.
- `send` could write half: bytes wait in a bounded buffer until the socket takes them.

A FencedAmi serves one connection; a new connection is a new object.
"""

from __future__ import annotations

import errno
import logging
import os
import secrets
import selectors
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from asterisk.ami import Action, AMIClient, Event, Response

from hotline.core.clock import Clock
from hotline.telephony.ami.errors import AmiDisconnected, AmiError, AmiProtocolError
from hotline.telephony.ami.wire import AmiParser, Packet, SafeAction

logger = logging.getLogger(__name__)

READ_BYTES: Final = 65_536

#: Actions wait here while Asterisk does not read. Full: the connection is given up.
MAX_UNSENT_BYTES: Final = 1_048_576


class FencedAmi(AMIClient):  # type: ignore[misc]  # the package has no types
    """One connection to the manager interface, read and written by one thread of its own.

    Listeners (`add_listener`, `add_event_listener`) are called on that thread, each with `source`:
    `on_connect` once the peer has greeted, `on_event`, `on_response`, and at last `on_disconnect` with
    `error`, exactly once, whatever happened.

    Args:
        host: the manager's address.
        port: its port.
        clock: where the time of receipt comes from.
        connect_timeout_seconds: for the TCP connection and the greeting together.

    Attributes:
        received_at: when the packet now handed to listeners was read.
        bytes_received: everything read so far; grows as long as the peer is alive and talks.
        listener_faults: exceptions that listeners raised.
    """

    def __init__(self, host: str, port: int, *, clock: Clock, connect_timeout_seconds: float) -> None:
        super().__init__(address=host, port=port, timeout=None)
        self.finished = threading.Event()
        self.received_at: datetime = clock.now()
        self.bytes_received = 0
        self.listener_faults = 0
        self._clock = clock
        self._connect_timeout_seconds = connect_timeout_seconds
        self._parser = AmiParser()
        self._prefix = secrets.token_hex(
            4
        )  # some answers go to every manager session: no other has these ids
        self._lock = threading.Lock()
        self._unsent = bytearray()
        self._stop_reason: AmiError | None = None
        self._wake_in: socket.socket | None = None

    def __str__(self) -> str:
        return f"manager interface at {self._address}:{self._port}"

    @property
    def odd_lines(self) -> int:
        """Lines without a colon that were ignored."""
        return self._parser.odd_lines

    def connect(self) -> None:
        """Start the thread, which connects; returns at once."""
        with self._lock:
            self._wake_in, self._wake_out = socket.socketpair()
            self._wake_in.setblocking(False)
            self._wake_out.setblocking(False)
        self._thread = threading.Thread(target=self.listen, name="ami-reader", daemon=True)
        self._thread.start()

    def disconnect(self, reason: AmiError | None = None) -> None:
        """End the connection from any thread, at any stage; idempotent. `on_disconnect` follows."""
        with self._lock:
            if self._stop_reason is None:
                self._stop_reason = reason or AmiDisconnected("the connection was closed here")
            self.finished.set()
        self._wake()

    def join(self, timeout_seconds: float) -> bool:
        """Wait for the thread's end; False if it did not come in time."""
        if self._thread is not None:
            self._thread.join(timeout_seconds)
        return self._thread is None or not self._thread.is_alive()

    def next_action_id(self) -> str:
        """An ActionID that no other manager session uses."""
        return f"{self._prefix}-{super().next_action_id()}"

    def send_action(self, action: Action, callback: Callable[..., object] | None = None) -> str:
        """Send an action; never blocks.

        Args:
            action: of the package's class. It is checked again unless it is a `SafeAction` as made.
            callback: not supported; answers come to listeners.

        Returns:
            The ActionID by which its answers are known.

        Raises:
            AmiUnsafeValue: nothing was sent.
            AmiDisconnected: the connection is gone, or Asterisk has stopped reading.
        """
        if callback is not None:
            raise TypeError("answers come to listeners; there are no callbacks")
        fields = dict(action.keys)
        if action.variables:
            fields["Variable"] = [f"{name}={value}" for name, value in action.variables.items()]
        with self._lock:
            action_id: str = fields.setdefault("ActionID", self.next_action_id())
        self.send(SafeAction(action.name, fields))
        return action_id

    def send(self, pack: SafeAction) -> None:
        """Put an action where the thread finds it."""
        data = f"{pack}\r\n".encode()
        with self._lock:
            if self.finished.is_set():
                raise AmiDisconnected("the connection to Asterisk is gone")
            stuck = len(self._unsent) + len(data) > MAX_UNSENT_BYTES
            if not stuck:
                self._unsent += data
        if stuck:
            reason = AmiDisconnected("Asterisk has stopped reading what is sent")
            self.disconnect(reason)
            raise reason
        self._wake()

    def listen(self) -> None:
        """The thread: connect, then read and write until the end of the connection."""
        error: AmiError
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._wake_out, selectors.EVENT_READ)
                deadline = time.monotonic() + self._connect_timeout_seconds
                self._socket = self._open(selector, deadline)
                self._converse(selector, deadline)
            error = AmiDisconnected("the connection was closed here")
        except AmiError as raised:
            error = raised
        except OSError as raised:
            error = AmiDisconnected(f"the connection to Asterisk failed: {raised.strerror or raised}")
        except Exception as raised:  # a fault of ours must still be reported as the end of the connection
            logger.exception("manager interface: the reader failed")
            error = AmiDisconnected(f"the reader failed: {type(raised).__name__}")
        finally:
            with self._lock:
                self.finished.set()
                reason = self._stop_reason
                self._unsent.clear()
            if self._socket is not None:
                self._socket.close()
        self._fire_on_disconnect(error=reason or error)
        with self._lock:
            if self._wake_in is not None:
                self._wake_in.close()
                self._wake_in = None
            self._wake_out.close()

    def _open(self, selector: selectors.BaseSelector, deadline: float) -> socket.socket:
        """Try each address of the host until one connects; the wake-up ends it at any time."""
        error: OSError | None = None
        for family, kind, protocol, _, address in socket.getaddrinfo(
            self._address, self._port, type=socket.SOCK_STREAM
        ):
            sock = socket.socket(family, kind, protocol)
            try:
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._connected(sock, sock.connect_ex(address), selector, deadline)
                return sock
            except OSError as raised:
                error = raised
                sock.close()
            except BaseException:
                sock.close()
                raise
        raise error or OSError(f"{self._address} has no address")

    def _connected(
        self, sock: socket.socket, code: int, selector: selectors.BaseSelector, deadline: float
    ) -> None:
        """Wait for a connection that was begun, and leave the socket in the selector."""
        if code not in (0, errno.EINPROGRESS):
            raise OSError(code, os.strerror(code))
        selector.register(sock, selectors.EVENT_WRITE)
        while not self._wait(selector, deadline):
            if time.monotonic() >= deadline:
                raise AmiDisconnected(f"no connection within {self._connect_timeout_seconds:g} s")
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            selector.unregister(sock)
            raise OSError(code, os.strerror(code))

    def _converse(self, selector: selectors.BaseSelector, deadline: float) -> None:
        greeted = False
        while True:
            with self._lock:
                writing = bool(self._unsent)
            selector.modify(self._socket, selectors.EVENT_READ | (selectors.EVENT_WRITE if writing else 0))
            ready = self._wait(selector, None if greeted else deadline)
            if ready & selectors.EVENT_WRITE:
                self._flush()
            if ready & selectors.EVENT_READ:
                self._read()
            if not greeted and self._parser.version:
                greeted = True
                self._ami_version = self._parser.version
                self._fire_on_connect()
            if not greeted and time.monotonic() >= deadline:
                raise AmiProtocolError(
                    f"no greeting within {self._connect_timeout_seconds:g} s: is it a manager interface?"
                )

    def _wait(self, selector: selectors.BaseSelector, deadline: float | None) -> int:
        """Wait for the socket; 0 after a wake-up or at the deadline.

        Raises:
            AmiError: the connection is to end.
        """
        timeout = None if deadline is None else max(0.0, deadline - time.monotonic())
        ready = 0
        for key, events in selector.select(timeout):
            if key.fileobj is self._wake_out:
                self._wake_out.recv(READ_BYTES)
            else:
                ready = events
        if self.finished.is_set():
            raise self._stop_reason or AmiDisconnected("the connection was closed here")
        return ready

    def _flush(self) -> None:
        with self._lock:
            if self._unsent:
                try:
                    sent = self._socket.send(self._unsent[:READ_BYTES])
                except BlockingIOError:
                    return
                del self._unsent[:sent]

    def _read(self) -> None:
        try:
            data = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            raise AmiDisconnected("Asterisk closed the connection")
        self.bytes_received += len(data)
        self.received_at = self._clock.now()
        for packet in self._parser.receive(data):
            if self.finished.is_set():
                return
            self.fire_recv_pack(packet)

    def fire_recv_pack(self, pack: Packet) -> None:
        """Hand one packet to the listeners, as the package's own objects."""
        headers = dict(pack.headers)
        if "Response" in headers and "Event" not in headers:
            self._fire_on_response(response=Response(headers["Response"], headers, list(pack.output)))
        elif "Event" in headers:
            event = Event(headers["Event"], headers)
            self._fire_on_event(event=event)
            for listener in tuple(self._event_listeners):
                self._guarded(listener, event=event)
        else:
            self._fire_on_unknown(pack=pack)

    def _fire_on_connect(self, **kwargs: Any) -> None:
        self._fire("on_connect", **kwargs)

    def _fire_on_disconnect(self, **kwargs: Any) -> None:
        self._fire("on_disconnect", **kwargs)

    def _fire_on_response(self, **kwargs: Any) -> None:
        self._fire("on_response", **kwargs)

    def _fire_on_event(self, **kwargs: Any) -> None:
        self._fire("on_event", **kwargs)

    def _fire_on_unknown(self, **kwargs: Any) -> None:
        self._fire("on_unknown", **kwargs)

    def _fire(self, method: str, **kwargs: Any) -> None:
        for listener in tuple(self._listeners):
            self._guarded(getattr(listener, method), **kwargs)

    def _guarded(self, listener: Callable[..., object], **kwargs: Any) -> None:
        """Call a listener; to end the connection it calls `source.disconnect`, not `raise`."""
        try:
            listener(source=self, **kwargs)
        except Exception:
            self.listener_faults += 1
            logger.exception("manager interface: a listener failed; the connection goes on")

    def _wake(self) -> None:
        with self._lock:
            if self._wake_in is None:
                return
            try:
                self._wake_in.send(b"\0")
            except BlockingIOError:
                return  # enough wake-ups are waiting already
