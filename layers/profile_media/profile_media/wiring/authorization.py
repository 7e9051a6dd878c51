"""Verify tokens for the authorizer, without AWS, pydantic or Powertools.

Powertools is not used here. The authorizer's imports may take 0.30 of the cold-start baseline; with Powertools' logger
they take 0.32, without it 0.25. The two kinds of lines that are needed are written here, with the same keys.
"""

import json
import time
from datetime import UTC, datetime
from functools import cache, partial

from profile_media.auth.cache import JwksCache
from profile_media.auth.fetch import fetch, parse_endpoint
from profile_media.auth.key_set import JwksUnavailable
from profile_media.auth.policy import NamedClaim, Refusal, TokenPolicy
from profile_media.auth.providers import PRESET, find_provider, identity_claims, named_claim, split
from profile_media.auth.tokens import TokenVerifier
from profile_media.aws import authorizer_settings


@cache
def verifier() -> TokenVerifier:
    """Return the verifier, created at first use. Raises SettingInvalid or ValueError for invalid settings."""
    settings = authorizer_settings.load()
    provider = find_provider(settings.identity_provider)
    url = settings.token_jwks_url or provider.key_set_url(settings.token_issuer)
    endpoint = parse_endpoint(url, allow_loopback=settings.jwks_allow_loopback)
    endpoint = endpoint._replace(authorities=settings.certificate_authorities)
    keys = JwksCache(partial(fetch, endpoint), warn=_warn_of_stale_keys)
    is_preset = settings.admin_claim == PRESET
    policy = TokenPolicy(
        settings.token_issuer,
        split(settings.token_audience),
        split(settings.token_audience_claim) or provider.audience_claims,
        named_claim(settings.token_required_claim, provider.required_claims),
        provider.refused_claims,
        NamedClaim.parse(provider.admin_claim if is_preset else settings.admin_claim),
        settings.tenant_claim,
        split(settings.token_tenants),
        identity_claims(settings.profile_claims, provider.identity_claims),
    )
    return TokenVerifier(keys, policy)


def log_refusal(refusal: Refusal, context: object) -> None:
    """Log a refused token. CloudWatch makes a metric by reason of the same line (embedded metric format)."""
    settings = authorizer_settings.load()
    metric = {
        "Namespace": settings.powertools_metrics_namespace,
        "Dimensions": [["stack", "service", "reason"]],
        "Metrics": [{"Name": "TokensRefused", "Unit": "Count"}],
    }
    _log(
        "Token refused",
        reason=refusal,
        function_name=getattr(context, "function_name", None),
        function_request_id=getattr(context, "aws_request_id", None),
        service=settings.powertools_service_name,
        stack=settings.stack_name,
        TokensRefused=1,
        _aws={"Timestamp": round(time.time() * 1000), "CloudWatchMetrics": [metric]},
    )


def _log(message: str, **fields: object) -> None:
    """Write one log line with the keys that Powertools uses, in ASCII."""
    timestamp = datetime.now(UTC).isoformat(timespec="milliseconds")
    record = {"level": "WARNING", "message": message, "timestamp": timestamp, **fields}
    print(json.dumps(record))  # noqa: T201 - stdout is where Lambda reads log lines


def _warn_of_stale_keys(trouble: JwksUnavailable) -> None:
    _log("The issuer's keys could not be fetched; older ones serve", reason=str(trouble))
