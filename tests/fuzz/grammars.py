"""What fuzzing feeds parsers with: good texts by grammar, the same with pieces changed, and JSON of any shape."""

from typing import Any

from hypothesis import strategies as st

from profile_media.domain.model import Slot
from tests.builders import an_id

PIECES = (
    *(
        "",
        "/",
        "//",
        "..",
        "/../",
        "%2e",
        "%2F",
        "%00",
        "%",
        "\0",
        "\r\n",
        "\n",
        "\t",
        " ",
        "\u00a0",
        "\u2028",
        "\ufeff",
    ),
    *("\x1b[31m", "\u202e", "\u00e9", "\ud800", "\U0001d504", "{", "}", '"', "'", "\\", "@", ":", "?", "#", ";", ","),
    *("=", "==", "+", "-", "_", "~", "A", "a", "0", "\u0661", "\u017f", "\u212a", "\uff0e", "null", "1e999", "NaN"),
)
"""What parsers trip over: separators, encodings, line ends, letters that pass for others, half a character."""

whole = st.characters(codec="utf-8")
"""Any letter but half a surrogate pair."""

owners = st.text(whole, min_size=1, max_size=60)
upload_ids = st.integers(0, 0xFFFFFFFF).map(an_id) | st.uuids(version=4).map(str)
slots = st.sampled_from(list(Slot))


@st.composite
def mutated(draw: st.DrawFn, good: st.SearchStrategy[str], pieces: tuple[str, ...] = PIECES) -> str:
    """A good text after up to four edits, each of which replaces a few characters, or none, with a piece."""
    text = draw(good)
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from((0, 1, 2, 8, 40))))
        text = text[:start] + draw(st.sampled_from(pieces) | st.just(text[start:end] * 2)) + text[end:]
    return text


@st.composite
def damaged(draw: st.DrawFn, good: st.SearchStrategy[bytes]) -> bytes:
    """As `mutated`, of bytes."""
    content = draw(good)
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.sampled_from((0, 1, 2, 8, 40))))
        piece = draw(st.binary(max_size=6) | st.sampled_from([text.encode(errors="replace") for text in PIECES]))
        content = content[:start] + draw(st.just(piece) | st.just(content[start:end] * 2)) + content[end:]
    return content


def json_values(leaves: st.SearchStrategy[Any] | None = None) -> st.SearchStrategy[Any]:
    """Anything JSON can say, and a little more than it should."""
    plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    return st.recursive(
        plain if leaves is None else plain | leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
        max_leaves=12,
    )
