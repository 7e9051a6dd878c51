"""Lambda authorizer: allow requests that have a valid token

API Gateway answers 401 to an exception whose message is exactly "Unauthorized", and 500 to any other exception.
"""

import json
import re
from typing import Any

from profile_media.auth.policy import TokenRefused
from profile_media.auth.tokens import bearer_token
from profile_media.wiring import authorization

STAGE = re.compile(r"(?as)(arn:aws[a-z-]*:execute-api:[a-z0-9-]*:[0-9]*:[A-Za-z0-9]+/[A-Za-z0-9_$-]+)/.*")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    stage = STAGE.fullmatch(event["methodArn"])
    if stage is None:
        raise ValueError("methodArn is not the ARN of a method")
    try:
        bearer = authorization.verifier().verify(bearer_token(event.get("authorizationToken")))
    except TokenRefused as refused:
        authorization.log_refusal(refused.refusal, context)
        raise Exception("Unauthorized") from None
    # API Gateway caches the policy per token, not per route, so it has to cover the whole stage.
    allow = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": f"{stage[1]}/*/*"}
    return {
        "principalId": json.dumps(bearer.sub)[1:-1],  # the access log puts it in quotes without escaping it
        "policyDocument": {"Version": "2012-10-17", "Statement": [allow]},
        "context": {
            "sub": bearer.sub,
            "exp": str(bearer.exp),
            "admin": str(bearer.admin).lower(),
            "identity": bearer.identity,
            **({} if bearer.tenant is None else {"tenant": bearer.tenant}),
        },
    }
