"""What a deployment chooses, read from the environment: the only module that touches `os.environ`.

Each use case has a small frozen class; a field's name in upper case is its variable. `load` reads and checks one once,
at first use and never at import, so that a function needs only the variables of its own class. What the domain makes
of them is imported where it is made: the authorizer has settings too, and would pay a sixth more for a cold start.
"""

import os
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from profile_media.domain.policy import Lifetimes, Limits


class SettingInvalid(Exception):
    """A variable is missing or does not parse: the deployment is wrong."""


@dataclass(frozen=True)
class AuthorizerSettings:
    """Whose tokens are taken."""

    token_issuer: str
    token_audience: str
    token_jwks_url: str = ""
    token_required_claim: str = ""
    """`name=value`, or empty; tells access tokens from other tokens of the same issuer."""
    tenant_claim: str = ""
    """Whose value keeps users apart; empty where there are no tenants."""
    admin_claim: str = "scope=profile-media:admin"
    """`name=value`, or empty for no administrators."""
    certificate_authorities: str = ""
    """A folder that OpenSSL finds them in one by one; where there is none, the system's are taken."""
    jwks_allow_loopback: bool = False
    """Lets the local stack's issuer be http on 127.0.0.1."""

    @property
    def jwks_url(self) -> str:
        """Where the issuer publishes its keys."""
        return self.token_jwks_url or self.token_issuer.rstrip("/") + "/.well-known/jwks.json"


@dataclass(frozen=True)
class CorsSettings:
    """Which origins' pages may call the API."""

    allowed_origins: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class UploadLimitSettings:
    """How much a user may upload, and how long an upload may take to come."""

    avatar_max_bytes: int = 10 * 1024 * 1024
    cover_image_max_bytes: int = 10 * 1024 * 1024
    open_intents: int = 5
    intents_per_hour: int = 30
    pending_ttl_seconds: int = 3600

    @property
    def limits(self) -> "Limits":
        """Sizes and counts."""
        from profile_media.domain.model import Slot  # noqa: PLC0415
        from profile_media.domain.policy import Limits  # noqa: PLC0415

        return Limits(
            max_bytes=MappingProxyType(
                {Slot.AVATAR: self.avatar_max_bytes, Slot.COVER_IMAGE: self.cover_image_max_bytes}
            ),
            open_intents=self.open_intents,
            intents_per_hour=self.intents_per_hour,
        )


@dataclass(frozen=True, kw_only=True)
class IntentSettings(UploadLimitSettings):
    """Everything an upload intent needs."""

    app_name: str
    users_table: str
    uploads_table: str
    uploads_bucket: str
    uploads_url: str
    """Where browsers POST to."""
    grant_seconds: int = 300

    @property
    def lifetimes(self) -> "Lifetimes":
        """How long the promise and its grant last."""
        from profile_media.domain.policy import Lifetimes  # noqa: PLC0415

        return Lifetimes(
            pending=timedelta(seconds=self.pending_ttl_seconds), grant=timedelta(seconds=self.grant_seconds)
        )


@dataclass(frozen=True)
class LinkSettings:
    """How clients name and fetch what is shown to them."""

    app_name: str
    media_base_url: str


@dataclass(frozen=True)
class UploadReadingSettings(LinkSettings):
    """Showing one upload."""

    uploads_table: str


@dataclass(frozen=True)
class ProfileReadingSettings(LinkSettings):
    """Showing a profile."""

    users_table: str


@dataclass(frozen=True)
class BindingSettings(LinkSettings):
    """Changing slots."""

    users_table: str
    uploads_table: str
    writes_per_minute: int = 30
    """Changes that one caller may make."""


@dataclass(frozen=True)
class UrlBindingSettings(BindingSettings):
    """Binding by URL."""

    external_avatar_hosts: tuple[str, ...] = ("*",)
    """Whose pictures may be pointed at; `*` for anybody's, empty for nobody's."""


@dataclass(frozen=True, kw_only=True)
class ThumbnailSettings(BindingSettings):
    """Changing slots, and showing pictures by presigned links."""

    media_bucket: str


@dataclass(frozen=True, kw_only=True)
class DirectUploadSettings(BindingSettings, UploadLimitSettings):
    """Taking a picture through the API."""

    media_bucket: str
    purge_queue_url: str
    settled_ttl_seconds: int = 86400
    keep_master: bool = True

    @property
    def lifetimes(self) -> "Lifetimes":
        """How long the row lives on its way."""
        from profile_media.domain.policy import Lifetimes  # noqa: PLC0415

        return Lifetimes(
            pending=timedelta(seconds=self.pending_ttl_seconds), settled=timedelta(seconds=self.settled_ttl_seconds)
        )


@dataclass(frozen=True)
class ProcessingSettings:
    """Making derivatives of what browsers stored."""

    uploads_table: str
    uploads_bucket: str
    media_bucket: str
    purge_queue_url: str
    settled_ttl_seconds: int = 86400
    keep_master: bool = True
    """Whether the whole picture is stored too, for sizes to come."""

    @property
    def lifetimes(self) -> "Lifetimes":
        """How long a settled upload waits to be bound."""
        from profile_media.domain.policy import Lifetimes  # noqa: PLC0415

        return Lifetimes(settled=timedelta(seconds=self.settled_ttl_seconds))


@dataclass(frozen=True)
class ReleasingSettings:
    """Queueing removed uploads for deletion."""

    purge_queue_url: str


@dataclass(frozen=True)
class PurgingSettings:
    """Deleting what removed uploads left behind."""

    uploads_bucket: str
    media_bucket: str


@dataclass(frozen=True)
class ReconcilingSettings:
    """Holding buckets and tables against each other."""

    users_table: str
    uploads_table: str
    uploads_bucket: str
    media_bucket: str
    purge_queue_url: str
    redrive_queue_url: str
    reconcile_mends: bool = False
    """Whether findings are put right as well."""


_read: dict[type, object] = {}


def load[Settings](of: type[Settings]) -> Settings:
    """The settings of one use case; raises SettingInvalid naming the variable, never its value."""
    if of not in _read:
        _read[of] = _from_environment(of)
    return cast(Settings, _read[of])


def forget() -> None:
    """Reads everything again at its next use: for tests, which change the environment."""
    _read.clear()


def _from_environment[Settings](of: type[Settings]) -> Settings:
    values: dict[str, object] = {}
    for field in fields(of):  # type: ignore[arg-type]
        text = os.environ.get(field.name.upper())
        if text or (text == "" and isinstance(field.default, str | tuple)):
            values[field.name] = _parse(field.name, str(field.type), text)
        elif field.default is MISSING:
            raise SettingInvalid(f"{field.name.upper()} is not set")
    return of(**values)


def _parse(name: str, kind: str, text: str) -> object:
    try:
        return _PARSERS[kind](text)
    except (ValueError, KeyError):
        raise SettingInvalid(f"{name.upper()} is not a {kind}") from None


def _parse_bool(text: str) -> bool:
    return {"true": True, "false": False}[text]


def _parse_list(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


_PARSERS: MappingProxyType[str, Callable[[str], object]] = MappingProxyType(
    {"<class 'str'>": str, "<class 'int'>": int, "<class 'bool'>": _parse_bool, "tuple[str, ...]": _parse_list}
)
