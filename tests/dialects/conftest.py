"""The fixtures of tests/functions."""

from tests.functions.conftest import call, rows

__all__ = ["call", "rows"]
