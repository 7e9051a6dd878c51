"""The settings of a deployment."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from profile_media.aws import authorizer_settings, settings
from profile_media.aws.authorizer_settings import SettingInvalid
from profile_media.domain.model import Slot
from profile_media.domain.policy import Limits


@pytest.fixture(autouse=True)
def _required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_ISSUER", "https://issuer.example.com/")
    monkeypatch.setenv("TOKEN_AUDIENCE", "api")


def load_intents() -> settings.IntentSettings:
    return settings.load(settings.IntentSettings)


def test_class_reads_its_own_variables_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVATAR_MAX_BYTES", "1000")
    monkeypatch.setenv("PENDING_TTL_SECONDS", "5")
    chosen = load_intents()
    assert chosen.limits.max_bytes == {Slot.AVATAR: 1000, Slot.COVER_IMAGE: 20971520}
    assert chosen.lifetimes.pending == timedelta(seconds=5)
    monkeypatch.setenv("AVATAR_MAX_BYTES", "2000")
    assert load_intents() is chosen
    settings.forget()
    assert load_intents().avatar_max_bytes == 2000


def test_list_loses_spaces_and_empty_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_ORIGINS", "https://a.example, https://b.example,")
    assert settings.load(settings.ApiSettings).allowed_origins == ("https://a.example", "https://b.example")


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False), ("", False)])
def test_bool_is_parsed(monkeypatch: pytest.MonkeyPatch, text: str, value: bool) -> None:
    monkeypatch.setenv("RECONCILE_MENDS", text)
    monkeypatch.setenv("JWKS_ALLOW_LOOPBACK", text)
    assert settings.load(settings.ReconcilingSettings).reconcile_mends is value
    assert authorizer_settings.load().jwks_allow_loopback is value


def test_empty_text_or_list_is_a_choice_and_empty_number_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ADMIN_CLAIM", "EXTERNAL_AVATAR_HOSTS", "OPEN_INTENTS"):
        monkeypatch.setenv(name, "")
    assert authorizer_settings.load().admin_claim == ""
    assert settings.load(settings.UrlBindingSettings).external_avatar_hosts == ()
    assert load_intents().open_intents == Limits().open_intents


@pytest.mark.parametrize("text", [None, ""])
@pytest.mark.parametrize(
    ("name", "load"), [("UPLOADS_TABLE", load_intents), ("TOKEN_ISSUER", authorizer_settings.load)]
)
def test_missing_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, load: Callable[[], object], text: str | None
) -> None:
    monkeypatch.delenv(name) if text is None else monkeypatch.setenv(name, text)
    with pytest.raises(SettingInvalid, match=f"{name} is not set"):
        load()


@pytest.mark.parametrize(
    ("name", "load"), [("OPEN_INTENTS", load_intents), ("JWKS_ALLOW_LOOPBACK", authorizer_settings.load)]
)
def test_invalid_value_is_refused_by_name_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, load: Callable[[], object]
) -> None:
    monkeypatch.setenv(name, "secret")
    with pytest.raises(SettingInvalid, match=name) as refused:
        load()
    assert "secret" not in f"{refused.value!r} {refused.value.__cause__!r}"
