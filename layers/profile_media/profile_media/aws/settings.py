"""The settings that a deployment chooses, read from environment variables: one class for each use case.

A field's name in upper case is its variable. `load` reads a class once, at its first use and never at import, so a
function needs only the variables of its own class. The authorizer's are in `authorizer_settings`.
"""

import os
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, Any, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from profile_media.aws.authorizer_settings import SettingInvalid
from profile_media.domain.model import Slot
from profile_media.domain.policy import Lifetimes, Limits


def _split(text: object) -> object:
    """Split a list at its commas, without spaces and empty items."""
    return tuple(item.strip() for item in text.split(",") if item.strip()) if isinstance(text, str) else text


type CommaSeparated = Annotated[tuple[str, ...], BeforeValidator(_split)]


class Settings(BaseModel):
    """The configuration of all settings classes. Pydantic compiles a class when it is loaded."""

    model_config = ConfigDict(frozen=True, defer_build=True)


class ApiSettings(Settings):
    """The settings of every endpoint: the origins of CORS, and the names and addresses of pictures."""

    allowed_origins: CommaSeparated
    app_name: str
    media_base_url: str


class UploadLimitSettings(Settings):
    """The limits of a user's uploads, and the lifetimes of a pending upload and of its form."""

    avatar_max_bytes: int = 20 * 1024 * 1024
    cover_image_max_bytes: int = 20 * 1024 * 1024
    open_intents: int = 20
    intents_per_hour: int = 60
    pending_ttl_seconds: int = 3600
    grant_seconds: int = 300
    """The lifetime of a presigned POST. It decides how long an intent counts as open."""

    @property
    def limits(self) -> Limits:
        """The limits of sizes and counts."""
        return Limits(
            max_bytes=MappingProxyType(
                {Slot.AVATAR: self.avatar_max_bytes, Slot.COVER_IMAGE: self.cover_image_max_bytes}
            ),
            open_intents=self.open_intents,
            intents_per_hour=self.intents_per_hour,
        )


class IntentSettings(UploadLimitSettings):
    """Making upload intents."""

    users_table: str
    uploads_table: str
    uploads_bucket: str
    uploads_url: str
    """The address that browsers POST to."""
    accept_heic: bool = False
    """Accept HEIC, which needs the decoder of the optional layer `heif`."""

    @property
    def lifetimes(self) -> Lifetimes:
        """The lifetimes of a pending upload and of its presigned POST."""
        return Lifetimes(
            pending=timedelta(seconds=self.pending_ttl_seconds), grant=timedelta(seconds=self.grant_seconds)
        )


class UploadReadingSettings(Settings):
    """Showing one upload."""

    uploads_table: str


class UploadWaitingSettings(UploadReadingSettings):
    """Showing one upload, perhaps after waiting for it."""

    longest_wait_seconds: int


class CancellingSettings(Settings):
    """Giving up uploads."""

    uploads_table: str


class ProfileReadingSettings(Settings):
    """Showing a profile."""

    users_table: str


class BindingSettings(Settings):
    """Changing slots."""

    users_table: str
    uploads_table: str
    writes_per_minute: int = 30
    """Changes of one user's pictures within a minute."""


class UrlBindingSettings(BindingSettings):
    """Binding by URL."""

    media_base_url: str
    external_avatar_hosts: CommaSeparated = ("*",)
    """Hosts whose pictures a slot may point at; `*` for any host, empty for none."""


class ThumbnailSettings(BindingSettings):
    """Changing slots, and showing pictures by presigned links."""

    media_bucket: str


class DirectUploadSettings(BindingSettings, UploadLimitSettings):
    """Taking a picture through the API."""

    media_bucket: str
    purge_queue_url: str
    settled_ttl_seconds: int = 86400
    keep_master: bool = True
    """Keep a picture of at most 2048 pixels for making new sizes later. It is never public."""
    accept_heic: bool = False
    """Accept HEIC, which needs the decoder of the optional layer `heif`."""
    keep_animation: bool = False
    """Make an animated derivative of an animated GIF or WebP, beside the still ones."""

    @property
    def lifetimes(self) -> Lifetimes:
        """The lifetimes of a pending and of a processed upload, and of an intent's form."""
        return Lifetimes(
            pending=timedelta(seconds=self.pending_ttl_seconds),
            settled=timedelta(seconds=self.settled_ttl_seconds),
            grant=timedelta(seconds=self.grant_seconds),
        )


class ProcessingSettings(Settings):
    """Making derivatives of the originals that browsers stored."""

    users_table: str
    uploads_table: str
    uploads_bucket: str
    media_bucket: str
    purge_queue_url: str
    settled_ttl_seconds: int = 86400
    keep_master: bool = True
    """Keep a picture of at most 2048 pixels for making new sizes later. It is never public."""
    accept_heic: bool = False
    """Accept HEIC, which needs the decoder of the optional layer `heif`."""
    keep_animation: bool = False
    """Make an animated derivative of an animated GIF or WebP, beside the still ones."""
    writes_per_minute: int = 30
    """Changes of one user's pictures within a minute."""

    @property
    def lifetimes(self) -> Lifetimes:
        """The lifetime of a processed upload that is not bound."""
        return Lifetimes(settled=timedelta(seconds=self.settled_ttl_seconds))


class UpdatingSettings(BindingSettings):
    """Cropping pictures again, and describing them."""

    media_bucket: str
    purge_queue_url: str


class ReleasingSettings(Settings):
    """Queueing removed uploads for deletion."""

    purge_queue_url: str


class PurgingSettings(Settings):
    """Deleting the objects of removed uploads."""

    uploads_bucket: str
    media_bucket: str


class ReconcilingSettings(Settings):
    """Comparing buckets and tables."""

    users_table: str
    uploads_table: str
    uploads_bucket: str
    media_bucket: str
    purge_queue_url: str
    redrive_queue_url: str
    reconcile_mends: bool = False
    """Repair findings instead of only reporting them."""
    purge_delay_seconds: int = 900
    """Seconds by which the delete queue delays a message."""


_loaded: dict[type[Settings], Settings] = {}


def load[Chosen: Settings](of: type[Chosen]) -> Chosen:
    """Return the settings of one use case. Raises SettingInvalid with the name of the variable, not its value."""
    if of not in _loaded:
        _loaded[of] = _from_environment(of)
    return cast(Chosen, _loaded[of])


def forget() -> None:
    """Read everything again at the next use, for tests that change the environment."""
    _loaded.clear()


def _from_environment[Chosen: Settings](of: type[Chosen]) -> Chosen:
    values: dict[str, Any] = {}
    for name, field in of.model_fields.items():
        text = os.environ.get(name.upper())
        # An empty text is a choice for a text or a list that has a default, and no value for anything else.
        if text or (text == "" and isinstance(field.default, str | tuple)):
            values[name] = text
        elif field.is_required():
            raise SettingInvalid(f"{name.upper()} is not set")
    try:
        return of.model_validate(values)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise SettingInvalid(f"{str(wrong['loc'][0]).upper()} is not valid: {wrong['msg']}") from None
