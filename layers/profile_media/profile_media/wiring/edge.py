"""The API's edge, with this deployment's allowed origins."""

from collections.abc import Callable

from profile_media.aws import settings
from profile_media.http import endpoint as edge
from profile_media.http.links import Links
from profile_media.http.request import Request, Response


def allowed_origins() -> tuple[str, ...]:
    """Whose pages may call the API."""
    return settings.load(settings.CorsSettings).allowed_origins


def endpoint(dialect: edge.Dialect) -> Callable[[Callable[[Request], Response]], edge.Handler]:
    """Makes a Lambda handler that speaks a dialect."""
    return edge.endpoint(dialect, lambda: edge.Edge(allowed_origins(), _links()))


def _links() -> Links:
    chosen = settings.load(settings.UploadReadingSettings)
    return Links(chosen.app_name, chosen.media_base_url)
