"""The authorizer as API Gateway calls it: whom it allows, and that no failure allows anybody."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature

from functions.authorize.app import handler
from profile_media.auth.algorithms import Rsa
from profile_media.auth.cache import JwksCache
from profile_media.auth.fetch import Endpoint
from profile_media.auth.key_set import JwksUnavailable
from profile_media.auth.policy import TokenRefused
from profile_media.auth.tokens import TokenVerifier
from profile_media.aws import settings
from profile_media.aws.authorizer_settings import SettingInvalid
from profile_media.wiring import authorization
from tests.tokens import (
    ABSENT,
    AUDIENCE,
    ISSUER,
    LOOPBACK,
    SUBJECT,
    a_jwk,
    a_jwks,
    a_token,
    an_ec_key,
    an_issuer,
    an_rsa_key,
    answering,
)

ROOT = Path(__file__).parents[2]
EVENT: dict[str, Any] = json.loads((ROOT / "events" / "authorize.json").read_text())
STAGE = "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/v1"
ROUTES = [
    "POST/media/intents",
    "GET/media/uploads/0b8f1c1e-4b0e-4f6e-8f55-2f6f6a3d7c11",
    "GET/media/profile",
    "PATCH/user/profile/avatar",
    "PATCH/user/profile/cover-image",
    "DELETE/v1/users/auth0%7Calice/profile_image",
    "GET/",
]
CONTEXT = SimpleNamespace(function_name="authorize", aws_request_id="6f1c0f2e-request")


OPTIONAL = (
    *("TOKEN_JWKS_URL", "TOKEN_REQUIRED_CLAIM", "TOKEN_AUDIENCE_CLAIM", "TOKEN_TENANTS", "PROFILE_CLAIMS"),
    *("IDENTITY_PROVIDER", "ADMIN_CLAIM", "TENANT_CLAIM", "JWKS_ALLOW_LOOPBACK"),
)


class Published:
    """The issuer's key set without a network. Tests change its content and count its fetches."""

    def __init__(self) -> None:
        self.document: bytes | BaseException = a_jwks()
        self.fetches = 0

    def __call__(self, endpoint: Endpoint) -> bytes:
        assert endpoint == Endpoint(True, "issuer.example.com", 443, "/.well-known/jwks.json")
        self.fetches += 1
        if isinstance(self.document, BaseException):
            raise self.document
        return self.document


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Set the function's environment and clear its caches."""
    monkeypatch.setenv("TOKEN_ISSUER", ISSUER)
    monkeypatch.setenv("TOKEN_AUDIENCE", AUDIENCE)
    for name in OPTIONAL:
        monkeypatch.delenv(name, raising=False)
    forget()
    yield monkeypatch
    forget()


@pytest.fixture
def published(deployed: pytest.MonkeyPatch) -> Published:
    """Replace the issuer that the verifier fetches from."""
    issuer = Published()
    deployed.setattr(authorization, "fetch", issuer)
    return issuer


def forget() -> None:
    """Make the next call read the environment again."""
    settings.forget()
    authorization.verifier.cache_clear()


def an_event(token: object, route: str = ROUTES[0]) -> dict[str, Any]:
    """Return the event for a request with this token."""
    return {**EVENT, "authorizationToken": f"Bearer {token}", "methodArn": f"{STAGE}/{route}"}


def allows(answer: dict[str, Any], arn: str) -> bool:
    """Tell whether API Gateway would match the resource with a request."""
    (statement,) = answer["policyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "execute-api:Invoke")
    return fnmatchcase(arn, statement["Resource"])


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the lines written since the last call, parsed as JSON."""
    captured = capsys.readouterr()
    assert captured.err == ""
    return [json.loads(line) for line in captured.out.splitlines()]


@pytest.mark.usefixtures("published")
def test_valid_token_is_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    token = a_token(exp=4_000_000_000)

    answer = handler({**EVENT, "authorizationToken": f"Bearer {token}"}, CONTEXT)

    assert answer == {
        "principalId": SUBJECT,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": f"{STAGE}/*/*"}],
        },
        "context": {"sub": SUBJECT, "exp": "4000000030", "admin": "false", "identity": "{}"},
    }
    assert logged(capsys) == []


@pytest.mark.usefixtures("published")
def test_identity_is_passed_on_and_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    person: dict[str, Any] = {
        "email": "ada@example.com",
        "email_verified": True,
        "given_name": "Ada",
        "family_name": "Lovelace",
    }

    context = handler(an_event(a_token(**person, name="\u2028", auth_time=1_700_000_000)), CONTEXT)["context"]

    assert json.loads(context["identity"]) == {
        "email": "ada@example.com",
        "email_verified": True,
        "first_name": "Ada",
        "last_name": "Lovelace",
        "last_login": 1_700_000_000,
    }
    assert all(isinstance(value, str) for value in context.values())
    assert logged(capsys) == []
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        handler(an_event(a_token(exp=1, **person)), CONTEXT)
    assert not any(secret in str(logged(capsys)) for secret in ("ada@", "Ada", "Lovelace"))


@pytest.mark.usefixtures("published")
def test_tenant_is_passed_on_if_configured(deployed: pytest.MonkeyPatch) -> None:
    assert "tenant" not in handler(an_event(a_token(org_id="acme")), CONTEXT)["context"]
    deployed.setenv("TENANT_CLAIM", "org_id")
    forget()

    assert handler(an_event(a_token(org_id="acme")), CONTEXT)["context"]["tenant"] == "acme"
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        handler(an_event(a_token(tenant="acme")), CONTEXT)


@pytest.mark.usefixtures("published")
def test_configured_claim_makes_an_administrator(deployed: pytest.MonkeyPatch) -> None:
    deployed.setenv("ADMIN_CLAIM", "roles=media")

    for roles, admin in ((["media"], "true"), (["other"], "false"), (ABSENT, "false")):
        assert handler(an_event(a_token(an_ec_key(), roles=roles)), CONTEXT)["context"]["admin"] == admin


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("asked", ROUTES)
def test_cached_policy_covers_every_route_of_the_stage_and_nothing_else(asked: str) -> None:
    answer = handler(an_event(a_token(), asked), CONTEXT)

    assert all(allows(answer, f"{STAGE}/{route}") for route in ROUTES)
    for elsewhere in (
        STAGE.replace("/v1", "/v10"),
        STAGE.replace("/v1", "/dev"),
        STAGE.replace("a1b2c3d4e5", "a1b2c3d4e6"),
        STAGE.replace("eu-west-1", "us-east-1"),
        STAGE.replace("123456789012", "210987654321"),
    ):
        assert not any(allows(answer, f"{elsewhere}/{route}") for route in ROUTES)


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    "arn",
    [
        *("", "*", "arn:aws:execute-api:*:*:*", f"{STAGE}", "arn:aws:s3:::bucket/v1/GET/x"),
        *(STAGE.replace("v1", "*") + "/GET/x", STAGE.replace("a1b2c3d4e5", "*") + "/GET/x"),
        *(STAGE.replace("v1", "?") + "/GET/x", STAGE.replace("/v1", "/") + "/GET/x", f"x{STAGE}/GET/x"),
    ],
)
def test_arn_that_would_widen_the_policy_is_refused(arn: str) -> None:
    with pytest.raises(ValueError, match="ARN"):
        handler({**an_event(a_token()), "methodArn": arn}, CONTEXT)


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws-cn:execute-api:cn-north-1:123456789012:a1b2c3d4e5/v1/GET/x",
        "arn:aws:execute-api:us-east-1:123456789012:1234567890/Prod/GET/",
        f"{STAGE}/GET/a\nb",
        f"{STAGE}/GET/*",
    ],
)
def test_every_possible_stage_is_parsed(arn: str) -> None:
    assert allows(handler({**an_event(a_token()), "methodArn": arn}, CONTEXT), arn)


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("paste-a-token-here", "malformed"),
        (f"{a_token()} {a_token()}", "not_bearer"),
        (f"{a_token()}\r\nX: y", "not_bearer"),
        ("x" * 9000, "too_long"),
        (a_token(exp=1), "expired"),
        (a_token(aud="other"), "audience"),
        (a_token(iss="https://evil.example"), "issuer"),
        (a_token(sub="a\nb"), "subject"),
        (a_token(an_rsa_key("stranger")), "signature"),
        (a_token(header={"kid": "unknown"}), "unknown_key"),
        (a_token(header={"kid": "\r\n{}\u2028"}), "key_id"),
        (a_token(header={"alg": "none"}), "algorithm"),
        (a_token(header={"crit": ["exp"]}), "critical"),
    ],
    ids=list(map(str, range(13))),
)
def test_refusal_is_unauthorized_and_its_reason_is_logged(
    token: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$") as raised:
        handler(an_event(token), CONTEXT)

    assert type(raised.value) is Exception
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__  # Lambda logs the traceback
    (line,) = logged(capsys)
    assert line.pop("timestamp")
    embedded = line.pop("_aws")
    assert line == {
        "level": "WARNING",
        "message": "Token refused",
        "reason": reason,
        "function_name": CONTEXT.function_name,
        "function_request_id": CONTEXT.aws_request_id,
        "service": "profile-media",
        "stack": "stack_undefined",
        "TokensRefused": 1,
    }
    assert embedded["CloudWatchMetrics"] == [
        {
            "Namespace": "ProfileMedia",
            "Dimensions": [["stack", "service", "reason"]],
            "Metrics": [{"Name": "TokensRefused", "Unit": "Count"}],
        }
    ]
    assert abs(embedded["Timestamp"] / 1000 - time.time()) < 60


@pytest.mark.usefixtures("published")
def test_sample_event_and_event_without_token_are_refused() -> None:
    for event in (EVENT, {name: EVENT[name] for name in ("type", "methodArn")}, {**EVENT, "authorizationToken": None}):
        with pytest.raises(Exception, match=r"^Unauthorized$"):
            handler(event, CONTEXT)


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("subject", ['auth0|"},{"status":"200', "back\\slash", "Zoë"])
def test_subject_cannot_forge_a_line_of_the_access_log(subject: str) -> None:
    answer = handler(an_event(a_token(sub=subject)), CONTEXT)

    assert answer["context"]["sub"] == subject
    assert json.loads(f'{{"user":"{answer["principalId"]}"}}') == {"user": subject}


@pytest.mark.usefixtures("published")
def test_id_token_is_refused_as_access_token(deployed: pytest.MonkeyPatch) -> None:
    deployed.setenv("TOKEN_REQUIRED_CLAIM", "token_use=access")
    assert handler(an_event(a_token(token_use="access")), CONTEXT)["principalId"] == SUBJECT

    with pytest.raises(Exception, match=r"^Unauthorized$"):
        handler(an_event(a_token(token_use="id")), CONTEXT)


EXCEPTIONS: list[BaseException] = [
    *(Exception("x"), ValueError("x"), TypeError("x"), KeyError("x"), IndexError("x"), AttributeError("x")),
    *(OSError("x"), TimeoutError("x"), ConnectionError("x"), RuntimeError("x"), RecursionError("x"), MemoryError("x")),
    *(AssertionError("x"), ArithmeticError("x"), LookupError("x"), UnicodeError("x"), NotImplementedError("x")),
    *(JwksUnavailable("x"), SettingInvalid("x"), InvalidSignature("x"), KeyboardInterrupt(), SystemExit(0)),
]


def failures(*quick: type[BaseException]) -> pytest.MarkDecorator:
    """Parametrize a test with exceptions; only the quick ones run in `make test`, the others in `make assurance`."""
    marked = [
        pytest.param(each, id=type(each).__name__, marks=() if type(each) in quick else pytest.mark.assurance)
        for each in EXCEPTIONS
    ]
    return pytest.mark.parametrize("failure", marked)


@failures(ValueError, OSError, JwksUnavailable, InvalidSignature, KeyboardInterrupt)
@pytest.mark.parametrize("where", ["fetch", "find", "verify", "verifier"])
def test_internal_error_is_not_a_401_and_allows_nobody(
    published: Published, deployed: pytest.MonkeyPatch, where: str, failure: BaseException
) -> None:
    def fail(*_: object) -> Any:
        raise failure

    if where == "fetch":
        published.document = failure
    else:
        owner: Any = {"find": JwksCache, "verify": TokenVerifier, "verifier": authorization}[where]
        deployed.setattr(owner, where, fail)

    with pytest.raises(type(failure)) as raised:
        handler(an_event(a_token()), CONTEXT)

    assert str(raised.value) != "Unauthorized"
    deployed.undo()


@pytest.mark.parametrize(
    "environment",
    [
        {"TOKEN_ISSUER": ""},
        {"TOKEN_AUDIENCE": ""},
        {"TOKEN_JWKS_URL": "http://issuer.example.com/jwks"},
        {"TOKEN_JWKS_URL": "http://127.0.0.1:9000/jwks"},
        {"TOKEN_JWKS_URL": "file:///etc/passwd"},
        {"TOKEN_ISSUER": "issuer"},
        {"TOKEN_REQUIRED_CLAIM": "token_use"},
        {"ADMIN_CLAIM": "=admin"},
        {"IDENTITY_PROVIDER": "okta"},
        {"IDENTITY_PROVIDER": "unknown"},
        {"TOKEN_AUDIENCE": " , "},
        {"TOKEN_TENANTS": "*"},
        {"TOKEN_ISSUER": "https://login.example.com/{tenantid}/v2.0"},
        {"PROFILE_CLAIMS": "nose=nose"},
        {"PROFILE_CLAIMS": "email="},
    ],
    ids=str,
)
@pytest.mark.usefixtures("published")
def test_invalid_settings_allow_nobody(deployed: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name, value in environment.items():
        deployed.setenv(name, value)

    for token in (a_token(), a_token(iss=""), a_token(aud=""), "nonsense"):
        with pytest.raises((SettingInvalid, ValueError)) as raised:
            handler(an_event(token), CONTEXT)
        assert str(raised.value) != "Unauthorized"


def test_stale_keys_are_used_and_logged(
    published: Published, deployed: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert handler(an_event(a_token()), CONTEXT)
    published.document = JwksUnavailable("status 503")
    deployed.setattr("profile_media.auth.cache.COOLDOWN_SECONDS", 0)

    with pytest.raises(Exception, match=r"^Unauthorized$"):
        handler(an_event(a_token(header={"kid": "new"})), CONTEXT)
    assert handler(an_event(a_token()), CONTEXT)["principalId"] == SUBJECT

    assert [line["reason"] for line in logged(capsys)] == ["status 503", "unknown_key"]


TRACED = (
    *("functions/authorize/app.py", "profile_media/wiring/authorization.py", "profile_media/aws/settings.py"),
    *(
        f"profile_media/auth/{name}.py"
        for name in ("tokens", "policy", "providers", "claims", "algorithms", "key_set", "cache")
    ),
    *("profile_media/auth/encoding.py", "profile_media/auth/fetch.py"),
)
"""All code of this service that the authorizer runs."""


class FailingTrace:
    """Raises an error at the n-th line of the service that runs."""

    def __init__(self, at: int, failure: BaseException) -> None:
        self.at = at
        self.failure = failure
        self.lines = 0

    def __call__(self, frame: FrameType, event: str, argument: object) -> Any:
        if not frame.f_code.co_filename.endswith(TRACED):
            return None
        if event == "line":
            self.lines += 1
            if self.lines == self.at:
                raise self.failure
        return self

    def run(self, token: str) -> dict[str, Any] | None:
        """Return the authorizer's answer after a fresh start; None where it raises.

        It runs in a thread of its own, because an exception raised between two lines can stay the handled one.
        """
        with ThreadPoolExecutor(1) as own:
            return own.submit(self._run, token).result()

    def _run(self, token: str) -> dict[str, Any] | None:
        forget()
        sys.settrace(self)
        try:
            return handler(an_event(token), CONTEXT)
        except BaseException:  # API Gateway allows nobody on any exception
            return None
        finally:
            sys.settrace(None)


@pytest.mark.usefixtures("published")
@failures(InvalidSignature)
@pytest.mark.parametrize(
    ("token", "step"),
    [
        pytest.param(a_token(an_rsa_key("stranger")), 1, id="forged"),
        pytest.param(a_token(an_ec_key(), exp=1), 4, id="expired"),
    ],
)
def test_failure_in_any_line_never_allows_a_bad_token(failure: BaseException, token: str, step: int) -> None:
    assert FailingTrace(0, failure).run(a_token())  # a valid token is allowed
    line, reached = 0, True
    while reached:
        line += step
        trace = FailingTrace(line, failure)

        assert trace.run(token) is None

        reached = trace.lines >= line
    assert line > 100


@pytest.mark.usefixtures("deployed", "published")
def test_invalid_signature_is_refused(deployed: pytest.MonkeyPatch) -> None:
    deployed.setattr(Rsa, "verifies", lambda *_: False)

    with pytest.raises(Exception, match=r"^Unauthorized$"):
        handler(an_event(a_token()), CONTEXT)


def test_verifier_is_created_once(published: Published) -> None:
    for _ in range(3):
        handler(an_event(a_token()), CONTEXT)

    assert published.fetches == 1


ALONE = """
import json, sys
from functions.authorize.app import handler
event = json.load(sys.stdin)
answer = handler(event, None)
print(json.dumps({"sub": answer["context"]["sub"], "modules": sorted(sys.modules)}))
"""


@pytest.mark.enable_socket
def test_cold_start_imports_nothing_heavy_and_fetches_keys() -> None:
    with an_issuer(answering(a_jwks(a_jwk()))) as (endpoint, asked):
        environment = {
            "PATH": os.environ["PATH"],
            "TOKEN_ISSUER": ISSUER,
            "TOKEN_AUDIENCE": AUDIENCE,
            "TOKEN_JWKS_URL": f"http://{LOOPBACK}:{endpoint.port}/jwks.json",
            "JWKS_ALLOW_LOOPBACK": "true",
        }
        alone = subprocess.run(
            [sys.executable, "-c", ALONE],
            input=json.dumps(an_event(a_token())),
            env=environment,
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert len(asked) == 1

    answer = json.loads(alone.stdout)
    assert answer["sub"] == SUBJECT
    heavy = {"boto3", "botocore", "pydantic", "PIL", "aws_lambda_powertools", "jwt", "urllib3", "requests"}
    assert heavy.isdisjoint(answer["modules"])
    assert {"urllib.request", "logging", "asyncio", "concurrent.futures"}.isdisjoint(answer["modules"])


def test_refusal_contains_nothing_of_the_token(published: Published) -> None:
    for token in (a_token(an_rsa_key("stranger")), a_token(header={"kid": "secret-kid"}), a_token(sub="\0secret-sub")):
        with pytest.raises(TokenRefused) as refused:
            authorization.verifier().verify(token)

        assert refused.value.args == (refused.value.refusal.value,)
    assert published.fetches == 1
