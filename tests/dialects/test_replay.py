"""Replay every example of the contracts through the handlers."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from profile_media import dialects
from profile_media.domain.model import Slot
from tests.builders import an_id
from tests.functions.conftest import Call, Rows, an_event

DIALECTS = Path(dialects.__file__).parent
EXAMPLES = sorted(Path(__file__).parent.glob("*/*.json"))


def agrees(expected: Any, got: Any) -> bool:
    """Return whether all members are equal. `{"matches": pattern}` stands for any text or number that matches."""
    if isinstance(expected, dict) and set(expected) == {"matches"}:
        return isinstance(got, str | int) and re.fullmatch(expected["matches"], str(got)) is not None
    if isinstance(expected, dict):
        return isinstance(got, dict) and expected.keys() == got.keys() and all(agrees(expected[k], got[k]) for k in got)
    if isinstance(expected, list):
        return isinstance(got, list) and len(expected) == len(got) and all(map(agrees, expected, got))
    return type(expected) is type(got) and bool(expected == got)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_example_of_the_contract_is_answered_as_documented(
    path: Path, call: Call, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = json.loads(path.read_text())
    monkeypatch.setenv("APP_NAME", "suffa")
    for upload in example["given"]:
        getattr(rows, upload["state"])(upload_id=an_id(upload["number"]), slot=Slot(upload["slot"]))
    request, event = example["request"], an_event(example["function"])
    assert (request["method"], request["path"]) == (event["httpMethod"], event["path"])
    answer = call(example["function"], request["body"], claims=request.get("claims"))
    assert answer.status == example["response"]["status"]
    assert agrees(example["response"]["body"], answer.body), answer.body


def test_every_contract_has_examples() -> None:
    contracts = {path.stem for path in DIALECTS.iterdir() if not path.name.startswith("_")} - {"native"}
    assert {path.parent.name for path in EXAMPLES} == contracts
