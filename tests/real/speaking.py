"""What people say on the phones of tests."""

from __future__ import annotations

import asyncio

from hotline.speech.voice import Voice
from hotline.telephony.phone.call import Call
from hotline.telephony.phone.codec import Samples


async def speech(text: str, variant: str) -> Samples:
    """As a telephone carries it; made in a thread, because phones that stop sending lose what follows."""
    return await asyncio.to_thread(lambda: Voice(variant).say(text).at_rate(8_000).samples)


async def say(call: Call, text: str, variant: str) -> None:
    """Speak on a phone, followed by the quiet that ends an utterance."""
    await call.play(await speech(text, variant)).done()
