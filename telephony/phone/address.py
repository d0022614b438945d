"""SIP addresses and the values of header fields: the grammar that messages are made of (RFC 3261, 25)."""

from __future__ import annotations

from dataclasses import dataclass, field


class MessageError(ValueError):
    """Bytes from the network that are not a usable SIP message."""


@dataclass(frozen=True, slots=True)
class Uri:
    """A ``sip:`` URI, as far as a phone looks into one."""

    user: str
    host: str
    port: int = 5060
    params: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """The URI as it is written in a request line."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        where = host if self.port == 5060 else f"{host}:{self.port}"
        tail = "".join(f";{name}={value}" if value else f";{name}" for name, value in self.params.items())
        return f"sip:{self.user}@{where}{tail}" if self.user else f"sip:{where}{tail}"

    @classmethod
    def parse(cls, text: str) -> Uri:
        """Read ``sip:user@host:port;param=value``; ``MessageError`` when it is not one."""
        scheme, colon, rest = text.strip().partition(":")
        if not colon or scheme.lower() not in ("sip", "sips"):
            raise MessageError("URI scheme is neither sip nor sips")
        user, at, place = rest.rpartition("@")
        place, *params = place.partition("?")[0].split(";")
        host, port = split_host_port(place)
        return cls(
            user=user.partition(":")[0] if at else "",
            host=host,
            port=5060 if port is None else port,
            params=dict(param_pair(param) for param in params if param),
        )


@dataclass(frozen=True, slots=True)
class Address:
    """The value of From, To, Contact, Route: a display name, a URI and parameters."""

    display: str
    uri: str
    params: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """The address as it is written in a header; the display name quoted and escaped."""
        escaped = self.display.replace("\\", "\\\\").replace('"', '\\"')
        display = f'"{escaped}" ' if self.display else ""
        tail = "".join(f";{name}={value}" if value else f";{name}" for name, value in self.params.items())
        return f"{display}<{self.uri}>{tail}"

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read either form of RFC 3261 section 20.10; ``MessageError`` when one is left open."""
        text = text.strip()
        display = ""
        if text.startswith('"'):
            display, text = _unquote(text)
            text = text.lstrip()
        if "<" in text:
            before, _, rest = text.partition("<")
            uri, closed, after = rest.partition(">")
            if not closed:
                raise MessageError("address has no closing bracket")
            display = display or before.strip()
        else:
            # Without brackets, what follows the first semicolon belongs to the header, not to the URI.
            uri, semicolon, after = text.partition(";")
            after = semicolon + after
        params = dict(param_pair(param) for param in after.strip().lstrip(";").split(";") if param.strip())
        return cls(display, uri.strip(), params)


def split_list(value: str) -> list[str]:
    """Take a comma-separated value apart, commas within quotes and angle brackets kept."""
    parts, start, quoted, bracketed, escaped = [], 0, False, False, False
    for index, char in enumerate(value):
        if escaped:
            escaped = False
        elif quoted:
            escaped = char == "\\"
            quoted = char != '"'
        elif char == '"':
            quoted = True
        elif char in "<>":
            bracketed = char == "<"
        elif char == "," and not bracketed:
            parts.append(value[start:index].strip())
            start = index + 1
    parts.append(value[start:].strip())
    return [part for part in parts if part]


def split_host_port(text: str) -> tuple[str, int | None]:
    """``host``, ``host:port`` or ``[v6]:port`` taken apart; ``MessageError`` on anything else."""
    text = text.strip()
    if text.startswith("["):
        host, closed, tail = text[1:].partition("]")
        if not closed:
            raise MessageError("IPv6 address has no closing bracket")
    else:
        host, colon, tail = text.partition(":")
        tail = colon + tail
    if not host:
        raise MessageError("host is missing")
    if not tail:
        return host, None
    digits = tail[1:]
    if tail[0] != ":" or not is_number(digits, 5) or not 0 < int(digits) < 65536:
        raise MessageError("port is not a number between 1 and 65535")
    return host, int(digits)


def is_number(text: str, most_digits: int) -> bool:
    """Whether the text is an ASCII number of at most so many digits."""
    return text.isascii() and text.isdigit() and len(text) <= most_digits


def param_pair(param: str) -> tuple[str, str]:
    """``name=value`` taken apart, the name in lower case; a flag has an empty value."""
    name, _, value = param.strip().partition("=")
    return name.strip().lower(), value.strip()


def _unquote(text: str) -> tuple[str, str]:
    """Read a quoted string at the start of the text: its content and what follows it."""
    content, escaped = [], False
    for index, char in enumerate(text[1:], start=1):
        if escaped:
            content.append(char)
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == '"':
            return "".join(content), text[index + 1 :]
        else:
            content.append(char)
    raise MessageError("quoted string does not end")
