"""The parameters: described, bounded, used, documented, and with the defaults that the code has."""

import dataclasses
import json
import re
from datetime import timedelta
from typing import Any

import pytest

from profile_media.auth.providers import PROVIDERS
from profile_media.aws.authorizer_settings import AuthorizerSettings
from profile_media.aws.settings import (
    BindingSettings,
    ProcessingSettings,
    ReconcilingSettings,
    UrlBindingSettings,
)
from profile_media.domain.model import Slot
from profile_media.domain.policy import Lifetimes, Limits
from tests.template.document import TEMPLATES, of_type, properties
from tools.configuration import PAGE, page
from tools.template import LAYER, REQUIRED, ROOT, read, written

PARAMETERS = written()["Parameters"]
NUMBERS = [name for name, body in PARAMETERS.items() if body["Type"] == "Number"]

_NAMES = """
AccessLogBucket AccountConcurrency AdminClaim AlarmEmail AlarmTopicArn AllowedOrigins ApiAccessLogs ApiCertificateArn
ApiDomainName ApiMemorySize ApiRequestsPerAddress AppName Architecture AvatarMaxBytes CoverImageMaxBytes
EncryptionKeyArn ExternalAvatarHosts FunctionConcurrency GradualDeployment GrantSeconds HostedZoneId IdentityProvider
IntentsPerHour KeepMaster LogLevel LogRetentionDays MediaBaseUrl MediaCertificateArn MediaDistributionArn
MediaDomainName MediaWebAclArn MethodMetrics OpenIntents PendingTtlSeconds PollConcurrency ProcessConcurrency
ProcessMemorySize ProfileClaims PurgeDelaySeconds ReconcileMends ReconcileMinutes SettledTtlSeconds StageName
TenantClaim ThrottleBurst ThrottleRate TokenAudience TokenAudienceClaim TokenIssuer TokenJwksUrl TokenRequiredClaim
TokenTenants WritesPerMinute
"""
STABLE = set(_NAMES.split())
"""Deployments name these parameters."""


def test_no_parameter_is_renamed_or_removed() -> None:
    assert set(PARAMETERS) >= STABLE
    assert {name for name, body in PARAMETERS.items() if "Default" not in body} == set(REQUIRED)


@pytest.mark.parametrize("name", sorted(STABLE))
def test_parameter_is_described_and_used(name: str) -> None:
    rest = json.dumps({section: body for section, body in written().items() if section != "Parameters"})

    assert PARAMETERS[name]["Description"].endswith(".")
    assert f'{{"Ref": "{name}"}}' in rest or f"${{{name}}}" in rest


@pytest.mark.parametrize("name", NUMBERS)
def test_number_has_bounds_and_a_default_within_them(name: str) -> None:
    parameter = PARAMETERS[name]

    assert "AllowedValues" in parameter or "MinValue" in parameter
    assert parameter["Default"] in parameter.get("AllowedValues", [parameter["Default"]])
    assert parameter.get("MinValue", 0) <= parameter["Default"] <= parameter.get("MaxValue", parameter["Default"])


@pytest.mark.parametrize("name", [name for name, body in PARAMETERS.items() if "AllowedPattern" in body])
def test_default_matches_its_pattern(name: str) -> None:
    assert re.fullmatch(PARAMETERS[name]["AllowedPattern"], PARAMETERS[name].get("Default", REQUIRED.get(name)))


def test_identity_provider_is_a_preset_of_the_code() -> None:
    assert PARAMETERS["IdentityProvider"]["AllowedValues"] == [*PROVIDERS]


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
def test_avatar_hosts_are_whole_host_names_or_an_asterisk(hosts: str, allowed: bool) -> None:
    assert bool(re.fullmatch(PARAMETERS["ExternalAvatarHosts"]["AllowedPattern"], hosts)) is allowed


def test_defaults_equal_those_of_the_code() -> None:
    limits, lifetimes = Limits(), Lifetimes()
    expected = {
        "AvatarMaxBytes": limits.max_bytes[Slot.AVATAR],
        "CoverImageMaxBytes": limits.max_bytes[Slot.COVER_IMAGE],
        "OpenIntents": limits.open_intents,
        "IntentsPerHour": limits.intents_per_hour,
        "WritesPerMinute": default_of(BindingSettings, "writes_per_minute"),
        "ExternalAvatarHosts": ",".join(default_of(UrlBindingSettings, "external_avatar_hosts")),
        "ReconcileMends": str(default_of(ReconcilingSettings, "reconcile_mends")).lower(),
        "KeepMaster": str(default_of(ProcessingSettings, "keep_master")).lower(),
        **{
            name: default_of(AuthorizerSettings, re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())
            for name in (
                *("AdminClaim", "IdentityProvider", "ProfileClaims", "TenantClaim", "TokenAudienceClaim"),
                *("TokenJwksUrl", "TokenRequiredClaim", "TokenTenants"),
            )
        },
        "PendingTtlSeconds": lifetimes.pending / timedelta(seconds=1),
        "SettledTtlSeconds": lifetimes.settled / timedelta(seconds=1),
        "GrantSeconds": lifetimes.grant / timedelta(seconds=1),
    }

    assert {name: PARAMETERS[name]["Default"] for name in expected} == expected


def default_of(settings: Any, name: str) -> Any:
    """Return the default of a field of a dataclass or a pydantic model."""
    if dataclasses.is_dataclass(settings):
        return next(field.default for field in dataclasses.fields(settings) if field.name == name)
    return settings.model_fields[name].default


def test_page_lists_the_parameters_of_the_template() -> None:
    assert PAGE.read_text() == page(), "run `python -m tools.configuration`"


@pytest.mark.parametrize("architecture", PARAMETERS["Architecture"]["AllowedValues"])
def test_functions_get_the_layer_that_was_built_for_their_architecture(architecture: str) -> None:
    """Whatever was given to `sam build`, which ignores conditions and builds all layers."""
    template = read(given={**REQUIRED, "Architecture": architecture})
    layers = {template.name(each.logical_id): each for each in template.of_type(LAYER)}

    for function in template.functions.values():
        assert function.properties["Architectures"] == [architecture]
        assert function.properties["Layers"] == list(layers)
    (dependencies, package) = layers.values()
    assert dependencies.properties["CompatibleArchitectures"] == [architecture]
    assert written()["Resources"][dependencies.logical_id]["Metadata"]["BuildArchitecture"] == architecture
    assert architecture in package.properties["CompatibleArchitectures"]


def test_every_layer_has_a_target_in_its_makefile() -> None:
    for layer in of_type(LAYER):
        makefile = (ROOT / properties(layer)["ContentUri"] / "Makefile").read_text()
        assert re.search(rf"^build-.*\b{layer}\b.*:$", makefile, re.MULTILINE)


def test_requirements_of_the_layer_are_pinned_with_hashes() -> None:
    lines = (ROOT / "layers/dependencies/requirements.txt").read_text().replace("\\\n", " ").splitlines()
    requirements = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]

    assert requirements
    for requirement in requirements:
        assert re.match(r"[a-z0-9._-]+==\S+ ", requirement)
        assert "--hash=sha256:" in requirement


@pytest.mark.parametrize("name", TEMPLATES)
def test_cfn_lint_finds_nothing(name: str) -> None:
    from cfnlint.api import ManualArgs, lint  # its import takes two seconds

    assert lint((ROOT / name).read_text(), config=ManualArgs(regions=["eu-central-1"])) == []


def test_main_template_is_short_enough_to_read() -> None:
    """Decision 0031 has the reason for the limit."""
    assert len((ROOT / "template.yaml").read_text().splitlines()) < 1200
