"""Composes what the authorizer needs, and nothing more: no AWS, no pydantic, no Powertools.

Powertools' logger was measured and left out here: with it and the metrics beside it, the authorizer's imports are 0.32
of the cold-start baseline, over the 0.30 it may spend; without them 0.25. What two kinds of line need, `log` does.
"""

import json
from datetime import UTC, datetime
from functools import cache, partial

from profile_media.auth.cache import JwksCache
from profile_media.auth.fetch import fetch, parse_endpoint
from profile_media.auth.key_set import JwksUnavailable
from profile_media.auth.policy import TokenPolicy
from profile_media.auth.tokens import TokenVerifier
from profile_media.aws import authorizer_settings


@cache
def verifier() -> TokenVerifier:
    """Composed at first use; raises SettingInvalid or ValueError where the deployment is wrong."""
    settings = authorizer_settings.load()
    endpoint = parse_endpoint(settings.jwks_url, allow_loopback=settings.jwks_allow_loopback)
    endpoint = endpoint._replace(authorities=settings.certificate_authorities)
    keys = JwksCache(partial(fetch, endpoint), warn=_warn_of_stale_keys)
    policy = TokenPolicy(
        settings.token_issuer,
        settings.token_audience,
        settings.token_required_claim,
        settings.admin_claim,
        settings.tenant_claim,
    )
    return TokenVerifier(keys, policy)


def log(message: str, **fields: str | None) -> None:
    """Writes one line, named as Powertools names things; ASCII only, whatever is in the fields."""
    timestamp = datetime.now(UTC).isoformat(timespec="milliseconds")
    record = {"level": "WARNING", "message": message, "timestamp": timestamp, **fields}
    print(json.dumps(record))  # noqa: T201 - stdout is where Lambda reads log lines


def _warn_of_stale_keys(trouble: JwksUnavailable) -> None:
    log("The issuer's keys could not be fetched; older ones serve", reason=str(trouble))
