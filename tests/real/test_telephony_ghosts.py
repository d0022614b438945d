"""Phones that die without a word: the exchange takes their calls away by itself."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from hotline.config.schema import Site
from hotline.telephony.asterisk_config.places import run_dir_of
from hotline.telephony.asterisk_config.write import managed_files
from hotline.telephony.asterisk_ports import ports_of
from hotline.telephony.asterisk_program import AsteriskProgram
from hotline.telephony.local_asterisk import LocalAsterisk
from hotline.telephony.phone.phone import Phone
from tests.real.exchange import Exchange, secret_of


@pytest.fixture
async def impatient(asterisk_program: AsteriskProgram, site: Site) -> AsyncIterator[Exchange]:
    """An Asterisk with the generated files, but the RTP timeouts are 1 s, so that the test need not wait."""

    def files(places: object) -> dict[str, str]:
        made = managed_files(site, secret_of, local.places)
        impatient, count = re.subn(r"rtp_timeout = \d+", "rtp_timeout = 1", made["pjsip.conf"])
        assert count > 1
        return {**made, "pjsip.conf": impatient}

    local = LocalAsterisk(asterisk_program, run_dir_of(site), files, ports_of(site))
    await local.start()
    yield Exchange(site, local)
    await local.stop()


async def test_a_caller_whose_phone_died_leaves_the_queue(impatient: Exchange) -> None:
    """No BYE, no more sound: after the timeout the caller no longer waits, and queue_log has the abandon."""
    address = (impatient.site.asterisk.host, impatient.site.asterisk.sip_port)
    phone = Phone("13800000001", server=address)
    await phone.open()
    call = await phone.call("12345")
    await asyncio.wait_for(call.wait_answered(), 5)
    await impatient.logged("ENTERQUEUE", "12345")
    phone._release()  # as a power cut does: the sockets are gone and nobody says BYE
    await phone.aclose()
    await impatient.logged("ABANDON", "12345")
    await impatient.quiet()
