"""Every code reference of the glossary exists."""

import importlib

import pytest

from tests.docs.markdown import code, read

NAME = "docs/glossary.md"

SYMBOLS = [text for line in read(NAME).splitlines() if line.startswith("| **") for text in code(line.split("|")[2])]


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_symbol_of_the_glossary_exists(symbol: str) -> None:
    package, module, *path = symbol.split(".")
    found: object = importlib.import_module(f"profile_media.{package}.{module}")
    for attribute in path:
        annotated = getattr(found, "__annotations__", {})
        assert hasattr(found, attribute) or attribute in annotated, symbol
        found = getattr(found, attribute, None)
