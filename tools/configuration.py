"""Write docs/configuration.md from the template's parameters: `python -m tools.configuration`."""

import re
from collections.abc import Iterator
from typing import Any

from tools.template import ROOT, TEMPLATE, written

PAGE = ROOT / "docs" / "configuration.md"

_SECTION = re.compile(r"^  # --- (.+)$|^  (\w+):", re.MULTILINE)

_HEAD = """\
# Configuration

<!-- Written by `python -m tools.configuration` from template.yaml. A test compares the two. -->

The parameters of `template.yaml`. Set them with `sam deploy --guided`, which stores them in `samconfig.toml`, or with
`sam deploy --parameter-overrides Name=value`. On the local stack: `make up PARAMS="Name=value"`. A parameter without a
default is required. [Operations](operations.md) says when to change which.
"""


def page() -> str:
    """Return the page: a table of parameters for each section of the template."""
    parameters = written()["Parameters"]
    return _HEAD + "".join(
        f"\n## {title}\n\n| Parameter | Default | Allowed | Meaning |\n|---|---|---|---|\n"
        + "".join(_row(name, parameters[name]) for name in names)
        for title, names in _sections()
    )


def _sections() -> Iterator[tuple[str, list[str]]]:
    """Yield the title of each section of the parameters, and the names in it."""
    source = TEMPLATE.read_text()
    start, end = source.index("\nParameters:\n"), source.index("\nRules:\n")
    title, names = "", list[str]()
    for found in _SECTION.finditer(source, start, end):
        if found[1]:
            if names:
                yield title, names
            title, names = found[1], []
        else:
            names.append(found[2])
    yield title, names


def _row(name: str, body: dict[str, Any]) -> str:
    cells = (f"`{name}`", _default(body), _allowed(body), body["Description"])
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _default(body: dict[str, Any]) -> str:
    if "Default" not in body:
        return "required"
    return f"`{body['Default']}`" if body["Default"] != "" else "empty"


def _allowed(body: dict[str, Any]) -> str:
    if "AllowedValues" in body:
        return ", ".join(f"`{value}`" for value in body["AllowedValues"])
    if "MaxValue" in body:
        return f"{body['MinValue']} to {body['MaxValue']}"
    if "MinValue" in body:
        return f"at least {body['MinValue']}"
    return str(body.get("ConstraintDescription", ""))


if __name__ == "__main__":
    PAGE.write_text(page())
