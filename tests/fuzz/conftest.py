"""Fixtures of the functions' tests."""

from tests.functions.conftest import rows

__all__ = ["rows"]
