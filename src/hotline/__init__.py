"""A call-centre server for 12345 government hotlines, run beside Asterisk."""

__version__ = "0.1.0"
