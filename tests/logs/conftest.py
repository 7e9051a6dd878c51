"""Fixtures of the functions' tests."""

from tests.functions.conftest import call, rows

__all__ = ["call", "rows"]
