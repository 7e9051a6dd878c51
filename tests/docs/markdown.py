"""The documents as the tests read them: tables, links, headings and what stands in code font."""

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

type Row = dict[str, str]

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CELL = re.compile(r"(?<!\\)\|")
_CODE = re.compile(r"`([^`]+)`")


def name_of(document: Path) -> str:
    """The document, as its place in the repository."""
    return document.relative_to(ROOT).as_posix()


@cache
def read(name: str) -> str:
    """The document's text."""
    return (ROOT / name).read_text()


def prose(name: str) -> str:
    """The text without its code blocks."""
    return _FENCE.sub("", read(name))


def links(name: str) -> list[str]:
    """Where the document's links and pictures point."""
    return _LINK.findall(prose(name))


def anchors(name: str) -> set[str]:
    """What a link into the document can name: its headings, spelt as GitHub does."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(prose(name))}


def table(name: str, *, header: str) -> list[Row]:
    """The rows of the one table whose first column has that header; fails where there is not exactly one."""
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
    """What stands in code font."""
    return _CODE.findall(text)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in _CELL.split(line.strip().removeprefix("|").removesuffix("|"))]
