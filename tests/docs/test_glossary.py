"""Every term of the glossary that names code names something that is there, and the domain's nouns are all in it."""

import importlib
from enum import EnumType

import pytest

from profile_media.domain import model
from tests.docs.markdown import code, read

NAME = "docs/glossary.md"

SYMBOLS = [text for line in read(NAME).splitlines() if line.startswith("| **") for text in code(line.split("|")[2])]


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_term_names_existing_code(symbol: str) -> None:
    package, module, *path = symbol.split(".")
    found: object = importlib.import_module(f"profile_media.{package}.{module}")
    for attribute in path:
        annotated = getattr(found, "__annotations__", {})
        assert hasattr(found, attribute) or attribute in annotated, symbol
        found = getattr(found, attribute, None)


def test_every_term_names_code() -> None:
    rows = [line for line in read(NAME).splitlines() if line.startswith("| **")]

    assert len(SYMBOLS) == len(rows)
    assert len({line.split("|")[1] for line in rows}) == len(rows)


@pytest.mark.parametrize(
    "noun",
    [
        found.__name__
        for found in vars(model).values()
        if isinstance(found, type) and found.__module__ == model.__name__ and not isinstance(found, EnumType)
    ],
)
def test_nouns_of_the_model_are_explained(noun: str) -> None:
    assert f"domain.model.{noun}" in SYMBOLS


def test_states_are_explained() -> None:
    assert {symbol.rpartition(".")[2].lower() for symbol in SYMBOLS if ".State." in symbol} == set(model.State)
