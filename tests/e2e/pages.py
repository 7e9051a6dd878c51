"""What the tests of the two pages share."""

from collections.abc import Mapping
from typing import Any

from playwright.sync_api import FilePayload

from tests.pictures import a_jpeg

type Stack = Mapping[str, Any]
type Person = Mapping[str, str]


def a_jpeg_file(content: bytes | None = None, name: str = "me.jpg") -> FilePayload:
    """Return a file, by default with a picture. Browsers derive the type from the name alone."""
    return {"name": name, "mimeType": "image/jpeg", "buffer": content or a_jpeg(900, 600)}


def people(stack: Stack) -> list[Person]:
    """Return the development users in the order of the pages."""
    return list(stack["users"].values())
