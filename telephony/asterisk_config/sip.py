"""pjsip.conf, rtp.conf and http.conf: the trunk callers come in by, the agents' phones, and their media."""

from __future__ import annotations

import ipaddress

from hotline.config.schema import Agent, Site
from hotline.core.errors import UsageError
from hotline.telephony.asterisk_config.features import HOLD_FEATURES
from hotline.telephony.asterisk_config.recording import PHONE
from hotline.telephony.asterisk_config.secrets import SecretSource
from hotline.telephony.asterisk_config.text import digits, document, section, value, word

TRUNK = "trunk"
TRANSFER_CONTEXT = "hotline-transfer"
CODECS = "!all,alaw,ulaw,g722"
RTP_TIMEOUT_SECONDS = 30
"""A phone that dies says no BYE: without this its call would stay for ever, holding a caller."""
RTP_TIMEOUT_OF_CALLERS_SECONDS = 300
"""Whoever waits and is silent behind a gateway that suppresses silence sends as little as the dead do."""
RTP_TIMEOUT_ON_HOLD_SECONDS = 300
QUALIFY_SECONDS = 30

_MEDIA: list[tuple[str, str | int]] = [
    ("allow", CODECS),
    ("direct_media", "no"),
    ("rtp_symmetric", "yes"),
    ("force_rport", "yes"),
    ("rewrite_contact", "yes"),
    ("rtp_timeout_hold", RTP_TIMEOUT_ON_HOLD_SECONDS),
    ("language", "zh"),
    ("allow_subscribe", "no"),
]


def pjsip_conf(site: Site, secrets: SecretSource, *, name: str = "pjsip.conf", managed: bool = True) -> str:
    """Trunk and phones; the transports too where the Asterisk is ours.

    Raises:
        UsageError: an address, extension or secret that cannot be written.
    """
    parts = [_transports(site)] if managed else []
    parts.append(_trunk(site))
    parts += [_phone(agent, secrets(f"agent-{agent.id}")) for agent in site.agents]
    return document(name, "SIP: callers come in as trunk, agents register as their extension.", *parts)


def _transports(site: Site) -> str:
    host = _host(site.asterisk.host, "asterisk.host")
    return "\n".join(
        [
            "; Trunk and phones may share an address: a known user name first, then the address.",
            section(
                "global",
                [
                    ("type", "global"),
                    ("endpoint_identifier_order", "username,ip,anonymous"),
                    ("user_agent", "hotline12345"),
                ],
            ),
            section(
                "transport-udp",
                [("type", "transport"), ("protocol", "udp"), ("bind", f"{host}:{site.asterisk.sip_port}")],
            ),
            "; Browsers' phones: ws://HOST:PORT/ws of http.conf",
            section("transport-ws", [("type", "transport"), ("protocol", "ws"), ("bind", host)]),
        ]
    )


def _trunk(site: Site) -> str:
    matches: list[tuple[str, str | int]] = [
        ("match", _network(match, "asterisk.trunk.match")) for match in site.asterisk.trunk.match
    ]
    endpoint: list[tuple[str, str | int]] = [
        ("type", "endpoint"),
        ("context", "hotline-in"),
        ("identify_by", "ip"),
        ("dtmf_mode", "auto"),
        ("trust_id_inbound", "yes"),
        ("allow_transfer", "no"),  # a caller must not send an agent elsewhere
        ("rtp_timeout", RTP_TIMEOUT_OF_CALLERS_SECONDS),
        *_MEDIA,
    ]
    identify: list[tuple[str, str | int]] = [("type", "identify"), ("endpoint", TRUNK), *matches]
    return section(TRUNK, endpoint) + "\n" + section(f"{TRUNK}-identify", identify)


def _phone(agent: Agent, secret: str) -> str:
    """One extension: endpoint, password and the place its registration is kept."""
    number = digits(agent.extension, f"agent {agent.id}: extension")
    word(agent.id, "agent")
    endpoint: list[tuple[str, str | int]] = [
        ("type", "endpoint"),
        ("context", "hotline-agents"),
        ("auth", number),
        ("aors", number),
        ("callerid", f"<{number}>"),
        ("dtmf_mode", "rfc4733"),
        ("device_state_busy_at", 1),
        (
            "set_var",
            f"TRANSFER_CONTEXT={TRANSFER_CONTEXT}",
        ),  # where REFER and the feature codes look up targets
        ("set_var", f"DYNAMIC_FEATURES={HOLD_FEATURES}"),
        ("set_var", f"{PHONE}={number}"),
        ("rtp_timeout", RTP_TIMEOUT_SECONDS),
        *_MEDIA,
    ]
    auth: list[tuple[str, str | int]] = [
        ("type", "auth"),
        ("auth_type", "userpass"),
        ("username", number),
        ("password", value(secret, f"the SIP secret of agent {agent.id}")),
    ]
    aor: list[tuple[str, str | int]] = [
        ("type", "aor"),
        ("max_contacts", 1),
        ("remove_existing", "yes"),
        ("qualify_frequency", QUALIFY_SECONDS),
    ]
    sections = (section(number, options) for options in (endpoint, auth, aor))
    return "\n".join([f"; The phone of agent {agent.id}", *sections])


def rtp_conf(site: Site) -> str:
    """The range of media ports."""
    first, last = site.asterisk.rtp_first_port, site.asterisk.rtp_last_port
    if first >= last:
        raise UsageError("asterisk.rtp_first_port is not below rtp_last_port", hint="two ports a call leg")
    return document(
        "rtp.conf",
        "Media ports; two for each leg of a call.",
        section("general", [("rtpstart", first), ("rtpend", last), ("strictrtp", "yes")]),
    )


def http_conf(site: Site) -> str:
    """Asterisk's HTTP server, for the WebSocket that browsers' phones use; it serves nothing else."""
    return document(
        "http.conf",
        "SIP over WebSocket for browsers' phones, at /ws.",
        section(
            "general",
            [
                ("servername", "hotline"),
                ("enabled", "yes"),
                ("bindaddr", _host(site.asterisk.host, "asterisk.host")),
                ("bindport", site.asterisk.http_port),
                ("enable_static", "no"),
                ("enable_status", "no"),
            ],
        ),
    )


def _host(text: str, what: str) -> str:
    """An address to listen on: Asterisk looks up no names here."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        raise UsageError(f"{what} {text!r} is no IP address", hint="write one like 127.0.0.1") from error
    return f"[{address}]" if address.version == 6 else str(address)


def _network(text: str, what: str) -> str:
    """An address or network of the trunk."""
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError as error:
        raise UsageError(
            f"{what} {text!r} is no address or network", hint="write one like 10.1.2.3 or 10.1.2.0/24"
        ) from error
