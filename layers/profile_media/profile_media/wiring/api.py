"""The settings that all endpoints of the API share."""

from collections.abc import Callable

from profile_media.aws import settings
from profile_media.http import endpoint as http
from profile_media.http.links import Links
from profile_media.http.request import Request, Response


def endpoint(dialect: http.Dialect) -> Callable[[Callable[[Request], Response]], http.Handler]:
    """Make a Lambda handler that speaks a dialect."""
    return http.endpoint(dialect, endpoint_config)


def endpoint_config() -> http.EndpointConfig:
    """Return the allowed origins of this deployment and the addresses of its pictures."""
    chosen = settings.load(settings.ApiSettings)
    return http.EndpointConfig(chosen.allowed_origins, Links(chosen.app_name, chosen.media_base_url))
