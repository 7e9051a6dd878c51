"""Read tables, links, headings and code spans of the documents."""

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "clients/js/README.md"])

type Row = dict[str, str]

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CELL = re.compile(r"(?<!\\)\|")
_CODE = re.compile(r"`([^`]+)`")


def name_of(document: Path) -> str:
    """Return the path of a document in the repository."""
    return document.relative_to(ROOT).as_posix()


@cache
def read(name: str) -> str:
    """Return the text of a document."""
    return (ROOT / name).read_text()


def prose(name: str) -> str:
    """Return the text without code blocks."""
    return _FENCE.sub("", read(name))


def links(name: str) -> list[str]:
    """Return the targets of links and pictures."""
    return _LINK.findall(prose(name))


def anchors(name: str) -> set[str]:
    """Return the anchors of the headings, as GitHub makes them."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(prose(name))}


def table(name: str, *, header: str) -> list[Row]:
    """Return the rows of the one table whose first column has this header."""
    lines = read(name).splitlines()
    starts = [at for at, line in enumerate(lines) if line.startswith("|") and _cells(line)[0] == header]
    assert len(starts) == 1, f"{name}: {len(starts)} tables start with {header}"
    columns = _cells(lines[starts[0]])
    rows: list[Row] = []
    for line in lines[starts[0] + 2 :]:
        if not line.startswith("|"):
            break
        cells = _cells(line)
        assert len(cells) == len(columns), f"{name}: {line}"
        rows.append(dict(zip(columns, cells, strict=True)))
    return rows


def code(text: str) -> list[str]:
    """Return the code spans of a text."""
    return _CODE.findall(text)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in _CELL.split(line.strip().removeprefix("|").removesuffix("|"))]
