"""monitord: the Coach Manager for contact centres that run on Asterisk."""

__version__ = "0.1.0"
