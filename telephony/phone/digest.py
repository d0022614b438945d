"""Digest authentication for SIP (RFC 3261 section 22, RFC 7616, RFC 8760): MD5, SHA-256; qop=auth or none."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from hotline.telephony.phone.address import MessageError, split_list

#: Strongest first: the order in which a challenge is chosen when a server offers several.
ALGORITHMS = ("SHA-256", "MD5")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One ``WWW-Authenticate`` or ``Proxy-Authenticate`` value."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    opaque: str = ""
    qop: tuple[str, ...] = ()
    stale: bool = False

    @classmethod
    def parse(cls, value: str) -> Challenge:
        """Read a challenge; ``MessageError`` if it is none that a phone can answer."""
        scheme, _, rest = value.strip().partition(" ")
        if scheme.lower() != "digest":
            raise MessageError("authentication scheme is not Digest")
        fields: dict[str, str] = {}
        for part in split_list(rest):
            name, _, raw = part.partition("=")
            raw = raw.strip()
            if len(raw) >= 2 and raw[0] == raw[-1] == '"':
                raw = raw[1:-1].replace('\\"', '"').replace("\\\\", "\\")
            fields[name.strip().lower()] = raw
        algorithm = fields.get("algorithm", "MD5").upper()
        qop = tuple(option.strip() for option in fields.get("qop", "").split(",") if option.strip())
        if "realm" not in fields or "nonce" not in fields:
            raise MessageError("challenge has no realm or no nonce")
        if algorithm not in ALGORITHMS:
            raise MessageError("challenge asks for an unknown algorithm")
        if qop and "auth" not in qop:
            raise MessageError("challenge asks for an unknown quality of protection")
        stale = fields.get("stale", "").lower() == "true"
        return cls(fields["realm"], fields["nonce"], algorithm, fields.get("opaque", ""), qop, stale)


def choose(values: Iterable[str]) -> Challenge | None:
    """The strongest challenge among several header lines that can be answered, or None."""
    understood = []
    for value in values:
        try:
            understood.append(Challenge.parse(value))
        except MessageError:
            continue  # RFC 7616 section 3.7: skip what is not understood, answer the best of the rest
    return min(understood, key=lambda challenge: ALGORITHMS.index(challenge.algorithm), default=None)


def authorization(
    challenge: Challenge,
    *,
    username: str,
    secret: str,
    method: str,
    uri: str,
    cnonce: str | None = None,
    nonce_count: int = 1,
) -> str:
    """The value of ``Authorization`` that answers a challenge.

    Args:
        challenge: what the server sent.
        username: the account.
        secret: its password in the clear.
        method: of the request that is repeated.
        uri: its request URI.
        cnonce: our own nonce; a fresh random one unless a test gives it.
        nonce_count: how often this server nonce has been used, this time included.
    """
    cnonce = cnonce or secrets.token_hex(8)
    ha1 = _hash(challenge.algorithm, f"{username}:{challenge.realm}:{secret}")
    ha2 = _hash(challenge.algorithm, f"{method}:{uri}")
    fields = [
        f"username={_quoted(username)}",
        f"realm={_quoted(challenge.realm)}",
        f"nonce={_quoted(challenge.nonce)}",
        f"uri={_quoted(uri)}",
        f"algorithm={challenge.algorithm}",
    ]
    if challenge.qop:
        count = f"{nonce_count:08x}"
        response = _hash(challenge.algorithm, f"{ha1}:{challenge.nonce}:{count}:{cnonce}:auth:{ha2}")
        fields += ["qop=auth", f"nc={count}", f"cnonce={_quoted(cnonce)}"]
    else:
        response = _hash(challenge.algorithm, f"{ha1}:{challenge.nonce}:{ha2}")
    fields.append(f'response="{response}"')
    if challenge.opaque:
        fields.append(f"opaque={_quoted(challenge.opaque)}")
    return "Digest " + ", ".join(fields)


def _hash(algorithm: str, text: str) -> str:
    if algorithm == "SHA-256":
        return hashlib.sha256(text.encode()).hexdigest()
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
