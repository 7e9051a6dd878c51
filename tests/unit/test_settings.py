"""What a deployment chooses."""

from datetime import timedelta

import pytest

from profile_media.aws import settings
from profile_media.domain.model import Slot


def test_a_class_reads_its_own_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVATAR_MAX_BYTES", "1000")
    monkeypatch.setenv("PENDING_TTL_SECONDS", "5")
    chosen = settings.load(settings.IntentSettings)
    assert chosen.limits.max_bytes == {Slot.AVATAR: 1000, Slot.COVER_IMAGE: 10485760}
    assert chosen.lifetimes.pending == timedelta(seconds=5)
    assert settings.load(settings.IntentSettings) is chosen


def test_lists_lose_their_spaces_and_gaps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_ORIGINS", "https://a.example, https://b.example,")
    assert settings.load(settings.CorsSettings).allowed_origins == ("https://a.example", "https://b.example")


def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UPLOADS_TABLE")
    with pytest.raises(settings.SettingInvalid, match="UPLOADS_TABLE is not set"):
        settings.load(settings.UploadReadingSettings)


@pytest.mark.parametrize(
    ("name", "value", "of"),
    [("OPEN_INTENTS", "many", settings.IntentSettings), ("JWKS_ALLOW_LOOPBACK", "yes", settings.AuthorizerSettings)],
)
def test_a_value_that_does_not_parse_is_named_but_not_told(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, of: type
) -> None:
    monkeypatch.setenv("TOKEN_ISSUER", "https://issuer.example.com/")
    monkeypatch.setenv("TOKEN_AUDIENCE", "api")
    monkeypatch.setenv(name, value)
    with pytest.raises(settings.SettingInvalid, match=name) as refused:
        settings.load(of)
    assert value not in str(refused.value)


def test_an_empty_text_is_a_choice_and_an_empty_number_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_ISSUER", "https://issuer.example.com/")
    monkeypatch.setenv("TOKEN_AUDIENCE", "api")
    monkeypatch.setenv("ADMIN_CLAIM", "")
    monkeypatch.setenv("OPEN_INTENTS", "")
    assert settings.load(settings.AuthorizerSettings).admin_claim == ""
    assert settings.load(settings.IntentSettings).open_intents == 5


def test_the_issuers_keys_are_at_the_usual_place_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_ISSUER", "https://issuer.example.com/")
    monkeypatch.setenv("TOKEN_AUDIENCE", "api")
    assert settings.load(settings.AuthorizerSettings).jwks_url == "https://issuer.example.com/.well-known/jwks.json"
    settings.forget()
    monkeypatch.setenv("TOKEN_JWKS_URL", "https://keys.example.com/")
    assert settings.load(settings.AuthorizerSettings).jwks_url == "https://keys.example.com/"
