"""Gives the tests of this folder the real servers."""

from tests.lab.fixtures import asterisk16, asterisk22, pbx, scene

__all__ = ["asterisk16", "asterisk22", "pbx", "scene"]
