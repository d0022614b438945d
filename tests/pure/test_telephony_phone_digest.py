"""Digest authentication against the vectors of the RFCs."""

from __future__ import annotations

import re

import pytest

from hotline.telephony.phone.address import MessageError
from hotline.telephony.phone.digest import Challenge, authorization, choose

# RFC 7616 section 3.9.1: one request, both algorithms.
RFC7616 = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
    'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)


def response_of(header: str) -> str:
    """The response field of an Authorization value."""
    found = re.search(r'response="([0-9a-f]+)"', header)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_rfc_7616_vectors(algorithm: str, response: str) -> None:
    """The worked example of RFC 7616 comes out digit for digit."""
    header = authorization(
        Challenge.parse(RFC7616.format(algorithm)),
        username="Mufasa",
        secret="Circle of Life",
        method="GET",
        uri="/dir/index.html",
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )
    assert response_of(header) == response
    assert "qop=auth, nc=00000001" in header
    assert 'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"' in header


def test_rfc_2069_form_without_quality_of_protection() -> None:
    """The errata example of RFC 2069: a server that offers no qop gets the short form."""
    challenge = Challenge.parse(
        'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
        'opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    header = authorization(
        challenge, username="Mufasa", secret="CircleOfLife", method="GET", uri="/dir/index.html"
    )
    assert response_of(header) == "1949323746fe6a43ef61f9606e7febea"
    assert "cnonce" not in header and "nc=" not in header


def test_strongest_challenge_is_answered() -> None:
    """Of several challenges the best that is understood is chosen, the others skipped."""
    chosen = choose(["Basic realm=x", RFC7616.format("MD5"), RFC7616.format("SHA-256"), "Digest junk"])
    assert chosen is not None and chosen.algorithm == "SHA-256"
    assert choose(["Basic realm=x", RFC7616.format("SHA-512")]) is None


def test_fresh_client_nonce_each_time() -> None:
    """Two answers to one challenge differ."""
    challenge = Challenge.parse(RFC7616.format("MD5"))
    answers = {
        authorization(challenge, username="a", secret="b", method="INVITE", uri="sip:x") for _ in range(5)
    }
    assert len(answers) == 5


def test_quotes_in_a_realm_are_escaped() -> None:
    """A server's realm cannot break out of our header."""
    challenge = Challenge.parse(r'Digest realm="a\"b", nonce="n", stale=TRUE')
    assert challenge.realm == 'a"b' and challenge.stale
    assert r'realm="a\"b"' in authorization(challenge, username="u", secret="s", method="M", uri="sip:x")


@pytest.mark.parametrize(
    "value",
    ["Basic x", 'Digest nonce="n"', 'Digest realm="r"', 'Digest realm="r", nonce="n", qop="auth-int"', ""],
)
def test_challenges_that_cannot_be_answered_are_refused(value: str) -> None:
    """Another scheme, missing fields and an unknown qop are errors."""
    with pytest.raises(MessageError):
        Challenge.parse(value)
