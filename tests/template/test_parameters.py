"""What a deployment can choose: explained, bounded, used, and by default what the code takes for granted."""

import dataclasses
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint  # type: ignore[import-untyped]

from profile_media.aws.settings import (
    AuthorizerSettings,
    BindingSettings,
    ProcessingSettings,
    ReconcilingSettings,
    UrlBindingSettings,
)
from profile_media.domain.model import Slot
from profile_media.domain.policy import Lifetimes, Limits
from tests.template.document import of_type, properties, text
from tools.template import REQUIRED, ROOT, written

PARAMETERS = written()["Parameters"]

NAMES = {
    "Architecture",
    "SnapStart",
    "StageName",
    "LogLevel",
    "LogRetentionDays",
    "AppName",
    "TokenIssuer",
    "TokenAudience",
    "TokenJwksUrl",
    "TokenRequiredClaim",
    "AdminClaim",
    "TenantClaim",
    "AllowedOrigins",
    "AvatarMaxBytes",
    "CoverImageMaxBytes",
    "OpenIntents",
    "IntentsPerHour",
    "WritesPerMinute",
    "PendingTtlSeconds",
    "SettledTtlSeconds",
    "GrantSeconds",
    "PurgeDelaySeconds",
    "KeepMaster",
    "ProcessMemorySize",
    "ApiMemorySize",
    "ProcessConcurrency",
    "PollConcurrency",
    "FunctionConcurrency",
    "ThrottleRate",
    "ThrottleBurst",
    "ExternalAvatarHosts",
    "MediaBaseUrl",
    "MediaDistributionArn",
    "MediaWebAclArn",
    "ReconcileMinutes",
    "ReconcileMends",
    "AlarmTopicArn",
    "EncryptionKeyArn",
    "AccessLogBucket",
    "SetApiLoggingRole",
}
"""Stable: deployments name them."""


def test_parameters_are_these() -> None:
    assert set(PARAMETERS) == NAMES
    assert {name for name, body in PARAMETERS.items() if "Default" not in body} == set(REQUIRED)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_parameter_is_explained_and_used(name: str) -> None:
    rest = json.dumps({section: body for section, body in written().items() if section != "Parameters"})

    assert PARAMETERS[name]["Description"]
    assert f'{{"Ref": "{name}"}}' in rest or f"${{{name}}}" in rest


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_number_has_a_least_value_and_a_default_within_bounds(name: str) -> None:
    parameter = PARAMETERS[name]
    if parameter["Type"] != "Number":
        return
    allowed = parameter.get("AllowedValues", [parameter["Default"]])

    assert "AllowedValues" in parameter or "MinValue" in parameter
    assert parameter["Default"] in allowed
    assert parameter.get("MinValue", 0) <= parameter["Default"] <= parameter.get("MaxValue", parameter["Default"])


@pytest.mark.parametrize("name", sorted(NAMES))
def test_defaults_satisfy_their_own_patterns(name: str) -> None:
    parameter = PARAMETERS[name]

    if "AllowedPattern" in parameter and "Default" in parameter:
        assert re.fullmatch(parameter["AllowedPattern"], parameter["Default"])
    if name in REQUIRED and "AllowedPattern" in parameter:
        assert re.fullmatch(parameter["AllowedPattern"], REQUIRED[name])


def test_defaults_are_those_of_the_domain() -> None:
    limits, lifetimes = Limits(), Lifetimes()

    assert {name: PARAMETERS[name]["Default"] for name in ("AvatarMaxBytes", "CoverImageMaxBytes")} == {
        "AvatarMaxBytes": limits.max_bytes[Slot.AVATAR],
        "CoverImageMaxBytes": limits.max_bytes[Slot.COVER_IMAGE],
    }
    assert PARAMETERS["OpenIntents"]["Default"] == limits.open_intents
    assert PARAMETERS["IntentsPerHour"]["Default"] == limits.intents_per_hour
    assert PARAMETERS["WritesPerMinute"]["Default"] == default_of(BindingSettings, "writes_per_minute")
    assert (PARAMETERS["ExternalAvatarHosts"]["Default"],) == default_of(UrlBindingSettings, "external_avatar_hosts")
    assert PARAMETERS["ReconcileMends"]["Default"] == str(default_of(ReconcilingSettings, "reconcile_mends")).lower()
    assert PARAMETERS["KeepMaster"]["Default"] == str(default_of(ProcessingSettings, "keep_master")).lower()
    assert PARAMETERS["TenantClaim"]["Default"] == default_of(AuthorizerSettings, "tenant_claim")
    assert timedelta(seconds=PARAMETERS["PendingTtlSeconds"]["Default"]) == lifetimes.pending
    assert timedelta(seconds=PARAMETERS["SettledTtlSeconds"]["Default"]) == lifetimes.settled
    assert timedelta(seconds=PARAMETERS["GrantSeconds"]["Default"]) == lifetimes.grant


def default_of(settings: Any, name: str) -> object:
    return next(field.default for field in dataclasses.fields(settings) if field.name == name)


@pytest.mark.parametrize(
    ("hosts", "allowed"),
    [
        ("*", True),
        ("example.com", True),
        ("a.example.com,b.example.com", True),
        ("", False),
        ("*.example.com", False),
        ("https://example.com", False),
        ("example.com,", False),
        ("example.com, b.example.com", False),
        ("EXAMPLE.com", False),
    ],
)
def test_hosts_of_pictures_elsewhere_are_whole_names_or_any(hosts: str, allowed: bool) -> None:
    assert bool(re.fullmatch(PARAMETERS["ExternalAvatarHosts"]["AllowedPattern"], hosts)) is allowed


@pytest.mark.parametrize("layer", of_type("AWS::Serverless::LayerVersion"))
def test_layers_are_built_for_the_architecture_that_is_chosen(layer: str) -> None:
    metadata = written()["Resources"][layer]["Metadata"]

    assert metadata["BuildArchitecture"] == {"Ref": "Architecture"}  # SAM would pack x86_64, whatever the functions are
    assert properties(layer)["CompatibleArchitectures"] == [{"Ref": "Architecture"}]
    for architecture in PARAMETERS["Architecture"]["AllowedValues"]:
        folder = text(metadata.get("ContextPath", properties(layer)["ContentUri"]))
        assert (ROOT / folder.replace("${Architecture}", architecture) / "Makefile").is_file()


def test_every_requirement_of_the_layer_is_locked_by_hash() -> None:
    lines = (ROOT / "layers/dependencies/requirements.txt").read_text().replace("\\\n", " ").splitlines()
    requirements = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]

    assert requirements
    for requirement in requirements:
        assert re.match(r"[a-z0-9._-]+==\S+ ", requirement)
        assert "--hash=sha256:" in requirement


def test_cfn_lint_finds_nothing() -> None:
    found = lint((ROOT / "template.yaml").read_text(), config=ManualArgs(regions=["eu-central-1"]))

    assert found == []
