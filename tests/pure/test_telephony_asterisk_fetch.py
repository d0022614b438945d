"""Which mirror a machine uses, read from both forms of apt's settings."""

from __future__ import annotations

from pathlib import Path

from hotline.telephony.asterisk_fetch import APT_OPTIONS, KEYRING, Mirror, mirrors_in_list, mirrors_in_stanzas

MIRROR = "http://mirror.example.cn/debian"


def test_one_line_form() -> None:
    """Comments, sources, security and other vendors' archives are passed over."""
    text = f"""\
# deb http://old.example/debian bookworm main
deb-src {MIRROR} bookworm main
deb http://security.example/debian-security bookworm-security main
deb https://vendor.example/apt nodistro main
deb cdrom:[Debian 12]/ bookworm main
deb {MIRROR} bookworm main contrib # ours
"""
    assert list(mirrors_in_list(text)) == [Mirror(MIRROR, KEYRING)]


def test_one_line_form_with_options() -> None:
    """Its own keyring is the one that signatures are checked with."""
    text = f"deb [arch=amd64 signed-by=/etc/apt/keyrings/own.gpg] {MIRROR} stable main\n"
    assert list(mirrors_in_list(text)) == [Mirror(MIRROR, Path("/etc/apt/keyrings/own.gpg"))]


def test_stanza_form() -> None:
    """Several stanzas, comments inside, disabled ones and folded fields."""
    text = f"""\
Types: deb
URIs: http://disabled.example/debian
Suites: bookworm
Components: main
Enabled: no

Types: deb deb-src
# the address of the house
URIs: {MIRROR}
Suites: bookworm
 bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://security.example/debian-security
Suites: bookworm-security
Components: main
"""
    assert list(mirrors_in_stanzas(text)) == [Mirror(MIRROR, KEYRING)]


def test_key_written_into_a_stanza_is_not_a_file() -> None:
    """A key block in Signed-By leaves Debian's own keyring in charge."""
    text = f"""\
Types: deb
URIs: {MIRROR}
Suites: trixie
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEY865UxYJKwYBBAHaRw8BAQdAd7Z0srwuhlB6JKFkcf4HU4SSS/xcRfwEQWzr
"""
    assert list(mirrors_in_stanzas(text)) == [Mirror(MIRROR, KEYRING)]


def test_settings_that_let_unsigned_packages_in_are_not_followed() -> None:
    """Proxies are handed on; switching verification off is not."""
    assert APT_OPTIONS.match('Acquire::http::Proxy "http://proxy.example:3128";')
    for line in (
        'Acquire::AllowInsecureRepositories "1";',
        'APT::Get::AllowUnauthenticated "1";',
        'Acquire::AllowWeakRepositories "1";',
    ):
        assert not APT_OPTIONS.match(line)
