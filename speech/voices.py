"""The espeak voice variants used, by purpose. All are clean voices of espeak-ng 1.51."""

from __future__ import annotations

__all__ = ["AGENT_VARIANTS", "CALLER_VARIANTS", "DEMO_VARIANTS", "PROMPT_RATE_WPM", "PROMPT_VARIANT"]

CALLER_VARIANTS = ("m1", "f2", "m3", "f4", "m7")
"""Citizens in the demo."""

AGENT_VARIANTS = ("f1", "m2", "f3")
"""Agents in the demo; no voice is both a citizen's and an agent's."""

DEMO_VARIANTS = CALLER_VARIANTS + AGENT_VARIANTS
"""Every voice of the demo: the shipped speech model is trained to know these best."""

PROMPT_VARIANT = "f3"
"""Menu prompts."""

PROMPT_RATE_WPM = 105
"""Menu prompts: about 130 characters a minute, slow enough for the old."""
