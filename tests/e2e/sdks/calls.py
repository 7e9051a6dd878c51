"""Make the calls on standard input with the published SDK, and print their results as JSON.

It runs in an environment of its own (tools/requirements/sdk.txt): the project does not depend on the SDK.
"""

import base64
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from clerk_backend_api import Clerk, models  # type: ignore[import-not-found, unused-ignore]

type Call = Mapping[str, Any]


def arguments_of(call: Call) -> dict[str, Any]:
    """Return the arguments of the SDK's method."""
    if "file" not in call:
        return {"user_id": call["user_id"]}
    content = base64.b64decode(call["file"])
    file = {"file_name": "profile-pic.png", "content": content, "content_type": "image/png"}
    return {"user_id": call["user_id"], "file": file}


def shown(user: Any) -> dict[str, Any]:
    """Return the fields of a user that the tests check."""
    emails = [email for email in user.email_addresses if email.id == user.primary_email_address_id]
    return {
        "type": type(user).__name__,
        "id": user.id,
        "has_image": user.has_image,
        "image_url": user.image_url,
        "first_name": user.first_name,
        "email": emails[0].email_address if emails else None,
        "email_status": emails[0].verification.status.value if emails else None,
        "updated_at": user.updated_at,
    }


def refused(error: Any) -> dict[str, Any]:
    """Return the fields of an error that the tests check. The SDK does not parse the body of every status."""
    body = json.loads(error.body)
    if isinstance(error, models.ClerkErrors):
        errors = [(each.code, each.message, each.long_message) for each in error.data.errors]
    else:
        errors = [(each["code"], each["message"], each["long_message"]) for each in body["errors"]]
    retry_after = error.headers.get("retry-after")
    return {
        "type": type(error).__name__,
        "status": error.status_code,
        "codes": [code for code, _, _ in errors],
        "messages": [text for _, *texts in errors for text in texts],
        "trace": body.get("clerk_trace_id", ""),
        "retry_after": int(retry_after) if retry_after else None,
    }


def main() -> None:
    """Print one result per call, in their order."""
    asked = json.load(sys.stdin)
    outcomes = []
    with Clerk(bearer_auth=asked["key"], server_url=f"{asked['base']}/v1") as clerk:
        verbs: dict[str, Callable[..., Any]] = {
            "set": clerk.users.set_profile_image,
            "get": clerk.users.get,
            "delete": clerk.users.delete_profile_image,
        }
        for call in asked["calls"]:
            try:
                outcomes.append({"user": shown(verbs[call["verb"]](**arguments_of(call)))})
            except models.ClerkBaseError as error:
                outcomes.append({"error": refused(error)})
    json.dump(outcomes, sys.stdout)


if __name__ == "__main__":
    main()
