"""The JavaScript client knows the service."""

import json
import tomllib

from profile_media.domain.errors import ErrorCode
from profile_media.domain.model import Reason
from tests.docs.markdown import ROOT, code, table

NAME = "clients/js/README.md"

NEVER_SEEN = {ErrorCode.UPLOAD_REJECTED, ErrorCode.IMAGE_UNACCEPTABLE, ErrorCode.SLOT_MISMATCH}
"""The client reports the reason instead of the first two; dialect 0 does not tell the third from other references."""


def test_client_has_a_sentence_for_every_error_and_reason() -> None:
    listed = {code(row["`code`"])[0] for row in table(NAME, header="`code`")}

    assert {*ErrorCode, *Reason} - listed == NEVER_SEEN


def test_client_has_the_version_of_the_service() -> None:
    package = json.loads((ROOT / "clients/js/package.json").read_text())

    assert package["version"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
