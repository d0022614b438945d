"""asterisk.conf, modules.conf, logger.conf, manager.conf and the small files Asterisk's core looks for."""

from __future__ import annotations

import ipaddress

from hotline.config.schema import Site
from hotline.telephony.asterisk_config.places import Places
from hotline.telephony.asterisk_config.secrets import SecretSource
from hotline.telephony.asterisk_config.text import document, section, value, word

MODULES: dict[str, tuple[str, ...]] = {
    "Dialplan": (
        "pbx_config", "app_dial", "app_echo", "app_playback", "app_queue", "app_read", "app_senddtmf",
        "app_stack", "app_userevent", "app_verbose", "app_waitforcond", "func_callerid", "func_channel",
        "func_dialplan", "func_logic", "func_pjsip_aor", "func_pjsip_contact", "func_pjsip_endpoint",
        "func_global", "func_strings", "func_timeout",
    ),
    "Call control from the console": ("res_mutestream", "res_pjsip_notify"),
    "Menus (res_agi needs res_speech)": ("res_speech", "res_agi"),
    "Hearing both sides": ("app_chanspy", "res_audiosocket", "chan_audiosocket"),
    "Recording (app_mixmonitor needs func_periodic_hook, and that the others)": (
        "func_cut", "func_groupcount", "func_uri", "func_periodic_hook", "app_mixmonitor",
    ),
    "Phones": (
        "res_crypto", "res_http_websocket", "res_pjproject", "res_sorcery_astdb", "res_sorcery_config",
        "res_sorcery_memory", "res_pjsip", "res_pjsip_acl", "res_pjsip_authenticator_digest",
        "res_pjsip_caller_id", "res_pjsip_dlg_options", "res_pjsip_dtmf_info",
        "res_pjsip_endpoint_identifier_anonymous", "res_pjsip_endpoint_identifier_ip",
        "res_pjsip_endpoint_identifier_user", "res_pjsip_header_funcs", "res_pjsip_logger", "res_pjsip_nat",
        "res_pjsip_outbound_authenticator_digest", "res_pjsip_path", "res_pjsip_pubsub", "res_pjsip_refer",
        "res_pjsip_registrar", "res_pjsip_rfc3326", "res_pjsip_sdp_rtp", "res_pjsip_session",
        "res_pjsip_transport_websocket", "res_rtp_asterisk", "res_srtp", "chan_pjsip",
    ),
    "Sound": (
        "codec_a_mu", "codec_alaw", "codec_g722", "codec_resample", "codec_ulaw", "format_pcm",
        "format_sln", "format_wav", "res_musiconhold", "res_timing_timerfd",
    ),
    "Joining calls": (
        "bridge_builtin_features", "bridge_holding", "bridge_simple", "bridge_softmix",
    ),
    "At the console": ("res_clioriginate",),
}  # fmt: skip
"""All that is loaded, by what it is for. cdr_sqlite3_custom and cel_sqlite3_custom must never be: they cut
what an exchange carries to a quarter and crash it under load."""

NEEDED_MODULES = tuple(sorted(name for group in MODULES.values() for name in group))

AMI_READ = "agent,call,cdr,user,system,cc"
AMI_WRITE = "agent,call,originate,system,user"
AMI_UNWANTED_EVENTS = ("VarSet", "TestEvent", "RTCPSent", "RTCPReceived")
"""Half of all that a queued call makes, and nothing the server reads."""

AMI_WRITE_TIMEOUT_MILLISECONDS = 5000


def asterisk_conf(site: Site, places: Places) -> str:
    """Folders and options of an Asterisk of ours. ``systemname`` makes call ids unique across nodes."""
    folders: list[tuple[str, str | int]] = [
        ("astetcdir", str(places.etc_dir)),
        ("astmoddir", str(places.modules_dir)),
        ("astvarlibdir", str(places.run_dir / "var")),
        ("astdbdir", str(places.run_dir / "db")),
        ("astkeydir", str(places.run_dir / "keys")),
        ("astdatadir", str(places.data_dir)),
        ("astagidir", str(places.run_dir / "agi")),
        ("astspooldir", str(places.run_dir / "spool")),
        ("astrundir", str(places.socket_dir)),
        ("astlogdir", str(places.log_dir)),
    ]
    options: list[tuple[str, str | int]] = [
        ("systemname", word(site.site.node, "site.node")),
        ("defaultlanguage", "zh"),
        ("nocolor", "yes"),
        ("live_dangerously", "no"),
    ]
    return document(
        "asterisk.conf",
        "One exchange, all its files below one folder.",
        section("directories", [(key, value(str(path), key)) for key, path in folders]),
        section("options", options),
    )


def modules_conf() -> str:
    """The modules by name: nothing is loaded that is not used."""
    rows = ["[modules]", "autoload = no"]
    for purpose, names in MODULES.items():
        rows += [f"; {purpose}", *(f"load = {name}.so" for name in names)]
    return document("modules.conf", "Only what is used; hidden dependencies are listed too.", "\n".join(rows))


def logger_conf() -> str:
    """Messages without what callers say or press; queue_log as the durable record of every wait."""
    return document(
        "logger.conf",
        "queue_log is the durable record: the server reads it after an absence.",
        section(
            "general",
            [
                ("dateformat", "%F %T.%3q"),
                ("queue_log", "yes"),
                ("queue_log_to_file", "yes"),
                ("rotatestrategy", "rotate"),
            ],
        ),
        section("logfiles", [("messages", "notice,warning,error")]),
    )


def manager_user(site: Site, secrets: SecretSource) -> str:
    """The account the server signs in with: no command rights, and no events it does not read."""
    rows: list[tuple[str, str | int]] = [
        ("secret", value(secrets("ami"), "the AMI secret")),
        ("read", AMI_READ),
        ("write", AMI_WRITE),
        ("writetimeout", AMI_WRITE_TIMEOUT_MILLISECONDS),
        *((f"eventfilter(action(exclude),name({name}))", "") for name in AMI_UNWANTED_EVENTS),
    ]
    if _is_loopback(site.asterisk.ami.host):
        rows[1:1] = [("deny", "0.0.0.0/0.0.0.0"), ("permit", "127.0.0.0/255.0.0.0")]
    return section(word(site.asterisk.ami.user, "asterisk.ami.user"), rows)


def manager_conf(site: Site, secrets: SecretSource) -> str:
    """The manager interface of an Asterisk of ours. ``timestampevents`` gives events their microseconds."""
    host = value(site.asterisk.ami.host, "asterisk.ami.host")
    general: list[tuple[str, str | int]] = [
        ("enabled", "yes"),
        ("bindaddr", host),
        ("port", site.asterisk.ami.port),
        ("timestampevents", "yes"),
        ("displayconnects", "no"),
    ]
    return document(
        "manager.conf",
        "The server follows calls and agents through this interface.",
        section("general", general),
        manager_user(site, secrets),
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def core_files() -> dict[str, str]:
    """Files that Asterisk's core opens whether they are used or not, and would complain about."""
    parts: dict[str, tuple[str, list[tuple[str, list[tuple[str, str | int]]]]]] = {
        "acl.conf": ("No named address lists.", []),
        "ccss.conf": ("No call completion.", []),
        "cdr.conf": (
            "Off: queue_log and the ledger hold the record.",
            [("general", [("enable", "no")])],
        ),
        "cel.conf": ("Off, likewise.", [("general", [("enable", "no")])]),
        "pjproject.conf": ("Nothing special.", []),
        "pjsip_notify.conf": ("The server says what a NOTIFY holds.", []),
        "stasis.conf": ("Nothing special.", []),
        "indications.conf": (
            "Tones as in China: 450 Hz (GB/T 3380).",
            [
                ("general", [("country", "cn")]),
                (
                    "cn",
                    [
                        ("description", "China"),
                        ("ringcadence", "1000,4000"),
                        ("dial", "450"),
                        ("busy", "450/350,0/350"),
                        ("ring", "450/1000,0/4000"),
                        ("congestion", "450/700,0/700"),
                        ("callwaiting", "450/400,0/4000"),
                        ("dialrecall", "450"),
                        ("record", "950/400,0/10000"),
                        ("info", "450/100,0/100,450/100,0/100,450/100,0/100,450/400,0/400"),
                    ],
                ),
            ],
        ),
        "udptl.conf": ("No fax.", [("general", [])]),
    }
    return {
        name: document(name, purpose, *(section(title, options) for title, options in sections))
        for name, (purpose, sections) in parts.items()
    }
