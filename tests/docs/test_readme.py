"""The README agrees with the template about paths and calls."""

import re

from profile_media.dialects.native.slots import SLOTS
from tests.docs.markdown import read, table
from tests.template.document import of_type

_CALL = re.compile(r'call\(\s*"([A-Z]+)",\s*[`"](/[^`"?]*)')
ROUTE = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE) (/[a-zA-Z0-9_{}/-]+)")
"""An endpoint, as documents name it."""


def test_example_calls_existing_routes() -> None:
    example = read("clients/js/examples/fetch.js")
    called = {(method, re.sub(r"\$\{[^}]+\}", "{uploadId}", path)) for method, path in _CALL.findall(example)}

    assert len(called) == 3
    assert called <= routes()


def test_diagram_names_existing_routes_and_slots() -> None:
    named = set(ROUTE.findall(read("README.md")))

    assert ("POST", "/media/intents") in named
    assert named <= routes()
    assert "coverImage" in SLOTS
    assert "/user/profile/cover-image" in {path for _, path in routes()}


def test_every_endpoint_is_listed_with_its_page() -> None:
    listed = {}
    for row in table("README.md", header="Endpoint"):
        (endpoint,) = ROUTE.findall(row["Endpoint"])
        listed[endpoint] = row["Contract"]

    assert set(listed) == {(method, path) for method, path in routes() if method != "OPTIONS"}
    for (method, path), contract in listed.items():
        (page,) = re.findall(r"\]\((docs/dialects/\w+\.md)\)", contract)
        headings = re.findall(r"^## .*$", read(page), re.MULTILINE)
        assert any((method, path) in ROUTE.findall(heading) for heading in headings), page


def routes() -> set[tuple[str, str]]:
    """Method and path of everything the API serves."""
    return {
        (event["Properties"]["Method"], event["Properties"]["Path"])
        for function in of_type("AWS::Serverless::Function").values()
        for event in function.get("Events", {}).values()
        if event["Type"] == "Api"
    }
