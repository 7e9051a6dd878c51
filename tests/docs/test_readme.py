"""The README's facts are the template's: parameters, paths, the way to call it."""

import re

from profile_media.dialects.native.slots import SLOTS
from tests.docs.markdown import read, table
from tests.template.document import of_type, written

_JAVASCRIPT = re.compile(r"^```js$(.*?)^```$", re.MULTILINE | re.DOTALL)
_ROUTE = re.compile(r'call\(\s*"(GET|POST|PATCH)",\s*[`"](/[^`"?]*)')


def test_parameters_are_the_templates() -> None:
    rows = [(row["Parameter"], row["Default"], row["What it sets"]) for row in table("README.md", header="Parameter")]

    assert rows == [
        (f"`{name}`", _default(body.get("Default")), body["Description"])
        for name, body in written()["Parameters"].items()
    ]


def _default(value: object) -> str:
    if value is None:
        return "required"
    return f"`{value}`" if value != "" else "empty"


def test_the_snippet_calls_routes_that_exist() -> None:
    (snippet,) = _JAVASCRIPT.findall(read("README.md"))
    called = {(method, re.sub(r"\$\{[^}]+\}", "{uploadId}", path)) for method, path in _ROUTE.findall(snippet)}

    assert len(called) == 3
    assert called <= routes()


def test_the_diagram_and_the_prose_name_routes_and_slots_that_exist() -> None:
    named = set(re.findall(r"\b(GET|POST|PATCH) (/[a-zA-Z{}/-]+)", read("README.md")))

    assert ("POST", "/media/intents") in named
    assert named <= routes()
    assert "coverImage" in SLOTS
    assert "/user/profile/cover-image" in {path for _, path in routes()}


def routes() -> set[tuple[str, str]]:
    """Method and path of everything the API serves."""
    return {
        (event["Properties"]["Method"], event["Properties"]["Path"])
        for function in of_type("AWS::Serverless::Function").values()
        for event in function.get("Events", {}).values()
        if event["Type"] == "Api"
    }
