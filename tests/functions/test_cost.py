"""The README's line about cost equals what the bench computes from recorded calls and measured times."""

import re
from dataclasses import replace

import pytest

from tests import pictures
from tests.docs.markdown import read
from tools.bench.cost import OPENING, compared, kept, readme_line
from tools.bench.cost.lives import ours, usual

NUMBER = re.compile(r"\$?\d[\d,.]*")


def test_the_line_about_money_is_what_the_bench_computes() -> None:
    measured, picture = kept(), pictures.a_jpeg(64, 48)  # a small picture makes the same calls as a large one
    mine = replace(ours(picture), stored=measured.ours)
    theirs = replace(usual(picture), stored=measured.usual)
    said = _paragraph(readme_line(compared(mine, theirs, measured.rendering, measured.picture)))
    written = _paragraph(OPENING + read("README.md").partition(OPENING)[2].partition("\n\n")[0])

    assert NUMBER.sub("", written) == NUMBER.sub("", said)
    # The length of log lines varies by a few bytes.
    assert _numbers(written) == pytest.approx(_numbers(said), abs=1)


def _paragraph(text: str) -> str:
    return " ".join(text.split())


def _numbers(text: str) -> list[float]:
    return [float(number.strip("$.").replace(",", "")) for number in NUMBER.findall(text)]
