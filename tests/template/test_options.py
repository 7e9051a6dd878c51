"""Options: the defaults need nothing that a new account lacks, and each option adds exactly what it says."""

from collections.abc import Iterator
from typing import Any

import pytest

from profile_media.dialects.native.showing import LONGEST_WAIT
from tests.template.document import properties, translated
from tools.template import REQUIRED, STACK, Template, TemplateInvalid, read, written

POLLS = written()["Mappings"]["Polls"]
POLL_OVERHEAD = 1
"""Seconds that a waiting call takes besides waiting: a cold start, and reading the upload."""

CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/1"
MEDIA_CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/2"
API_DOMAIN = {"ApiDomainName": "api.example.com", "ApiCertificateArn": CERTIFICATE}
MEDIA_DOMAIN = {"MediaDomainName": "pictures.example.com", "MediaCertificateArn": MEDIA_CERTIFICATE}
ZONE = {"HostedZoneId": "Z0123456789"}


def given(**parameters: str) -> Template:
    """Return the template with these parameters."""
    return read(given={**REQUIRED, **parameters})


def existing(template: Template, type_: str) -> list[str]:
    """Return the logical ids of the resources of a type, here and in nested stacks that exist."""
    nested = [template.nested[each.logical_id] for each in template.of_type(STACK)]
    return [each.logical_id for part in (template, *nested) for each in part.of_type(type_)]


def references(value: Any, template: Template) -> Iterator[str]:
    """Yield the names that a value refers to if the parameters have the template's values."""
    match value:
        case {"Fn::If": [condition, yes, no]}:
            yield from references(yes if template.resolve({"Condition": condition}) else no, template)
        case {"Ref": name} | {"Fn::GetAtt": [name, *_]}:
            yield name
        case dict():
            for item in value.values():
                yield from references(item, template)
        case list():
            for item in value:
                yield from references(item, template)


# --- access logs of the API


@pytest.mark.parametrize(
    ("choice", "logs", "accounts"),
    [
        ("off", False, []),
        ("on", True, []),
        ("on-and-set-account-role", True, ["ApiLoggingAccount"]),
    ],
)
def test_api_logs_requests_only_if_asked(choice: str, logs: bool, accounts: list[str]) -> None:
    template = given(ApiAccessLogs=choice)

    assert ("AccessLogSetting" in template.api.properties) is logs
    assert existing(template, "AWS::ApiGateway::Account") == accounts
    assert written()["Parameters"]["ApiAccessLogs"]["Default"] == "off"


@pytest.mark.parametrize("choice", ["off", "on", "on-and-set-account-role"])
def test_stage_waits_for_the_role_that_the_stack_sets(choice: str) -> None:
    template = given(ApiAccessLogs=choice)

    named = set(references(translated()["ApiStage"]["Properties"], template))

    assert ("ApiLoggingAccount" in named) is (choice == "on-and-set-account-role")
    assert ("ApiAccessLogGroup" in named) is (choice != "off")


# --- domains


@pytest.mark.parametrize(
    ("parameters", "domains", "records"),
    [
        ({}, [], []),
        (API_DOMAIN, ["ApiDomain"], []),
        (API_DOMAIN | ZONE, ["ApiDomain"], ["ApiRecord"]),
        (MEDIA_DOMAIN, [], []),
        (MEDIA_DOMAIN | ZONE, [], ["MediaRecord", "MediaRecordForIpv6"]),
        (API_DOMAIN | MEDIA_DOMAIN | ZONE, ["ApiDomain"], ["ApiRecord", "MediaRecord", "MediaRecordForIpv6"]),
        (ZONE, [], []),
    ],
)
def test_domains_and_records_exist_if_given(parameters: dict[str, str], domains: list[str], records: list[str]) -> None:
    template = given(**parameters)

    assert existing(template, "AWS::ApiGateway::DomainName") == domains
    assert existing(template, "AWS::Route53::RecordSet") == records
    assert bool(domains or records) is ("Domains" in existing(template, STACK))  # a stack needs a resource


def test_api_domain_is_regional_with_tls_1_2_and_maps_to_the_stage() -> None:
    nested = given(**API_DOMAIN).nested["Domains"]
    (domain,) = nested.of_type("AWS::ApiGateway::DomainName")
    (mapping,) = nested.of_type("AWS::ApiGateway::BasePathMapping")

    assert domain.properties == {
        "DomainName": "api.example.com",
        "RegionalCertificateArn": CERTIFICATE,
        "EndpointConfiguration": {"Types": ["REGIONAL"]},
        "SecurityPolicy": "TLS_1_2",
    }
    assert properties("Domains")["Parameters"]["StageName"] == {"Ref": "Api.Stage"}  # it waits for the stage
    assert "BasePath" not in mapping.properties


def test_distribution_has_the_domain_and_its_certificate() -> None:
    def settings(**parameters: str) -> tuple[Any, Any]:
        (distribution,) = given(**parameters).of_type("AWS::CloudFront::Distribution")
        config = distribution.properties["DistributionConfig"]
        return config.get("Aliases"), config.get("ViewerCertificate")

    certificate = {
        "AcmCertificateArn": MEDIA_CERTIFICATE,
        "SslSupportMethod": "sni-only",
        "MinimumProtocolVersion": "TLSv1.2_2021",
    }
    assert settings(**MEDIA_DOMAIN) == (["pictures.example.com"], certificate)
    assert settings() == (None, None)


@pytest.mark.parametrize(
    ("parameters", "api", "media"),
    [
        ({}, "https://profile-media-local-Api.execute-api.", "https://profile-media-local-MediaDistribution."),
        (API_DOMAIN, "https://api.example.com", "https://profile-media-local-MediaDistribution."),
        (MEDIA_DOMAIN, "https://profile-media-local-Api.execute-api.", "https://pictures.example.com"),
        ({"MediaBaseUrl": "https://cdn.example.com"}, "https://profile-media-local-Api.", "https://cdn.example.com"),
    ],
)
def test_urls_follow_the_domains(parameters: dict[str, str], api: str, media: str) -> None:
    template = given(**parameters)
    outputs = {name: template.resolve(template.document["Outputs"][name]["Value"]) for name in ("ApiUrl", "MediaUrl")}

    assert outputs["ApiUrl"].startswith(api)
    assert outputs["MediaUrl"].startswith(media)
    assert {each.environment["MEDIA_BASE_URL"] for each in template.functions.values()} == {outputs["MediaUrl"]}


@pytest.mark.parametrize(
    "parameters",
    [
        {"ApiDomainName": "api.example.com"},
        {"MediaDomainName": "pictures.example.com"},
        {**MEDIA_DOMAIN, "MediaBaseUrl": "https://cdn.example.com"},
    ],
    ids=["API domain without certificate", "media domain without certificate", "media domain without distribution"],
)
def test_incomplete_domains_are_refused(parameters: dict[str, str]) -> None:
    with pytest.raises(TemplateInvalid, match="Domain"):
        given(**parameters)


# --- AWS WAF


def test_api_is_protected_only_if_a_limit_per_address_is_given() -> None:
    template = given(ApiRequestsPerAddress="500")
    nested = template.nested["Protection"]
    (acl,) = nested.of_type("AWS::WAFv2::WebACL")
    (association,) = nested.of_type("AWS::WAFv2::WebACLAssociation")
    (rule,) = acl.properties["Rules"]

    assert existing(given(), "AWS::WAFv2::WebACL") == []
    assert existing(template, "AWS::WAFv2::WebACL") == ["WebAcl"]
    assert (acl.properties["Scope"], acl.properties["DefaultAction"], rule["Action"]) == (
        "REGIONAL",
        {"Allow": {}},
        {"Block": {}},
    )
    assert rule["Statement"] == {
        "RateBasedStatement": {"AggregateKeyType": "IP", "EvaluationWindowSec": 300, "Limit": "500"}
    }
    assert association.properties["ResourceArn"].startswith(
        "arn:aws:apigateway:us-east-1::/restapis/profile-media-local-"
    )
    assert properties("Protection")["Parameters"]["StageName"] == {"Ref": "Api.Stage"}  # it waits for the stage


@pytest.mark.parametrize("limit", ["9", "-1", "010", ""])
def test_limit_per_address_is_one_that_aws_waf_accepts(limit: str) -> None:
    with pytest.raises(TemplateInvalid):
        given(ApiRequestsPerAddress=limit)


# --- calls that wait


@pytest.mark.parametrize("concurrency", POLLS)
def test_waiting_calls_take_at_most_half_of_the_account(concurrency: str) -> None:
    """A token bucket lets `burst + rate x seconds` calls begin within the time that one of them takes."""
    template = given(AccountConcurrency=concurrency)
    everything, polls = template.api.properties["MethodSettings"]
    wait = int(template.functions["GetUploadFunction"].environment["LONGEST_WAIT_SECONDS"])
    most = polls["ThrottlingBurstLimit"] + polls["ThrottlingRateLimit"] * (wait + POLL_OVERHEAD)

    assert 0 < most <= int(concurrency) / 2
    assert 0 < wait <= LONGEST_WAIT
    (route,) = template.functions["GetUploadFunction"].routes
    assert (polls["HttpMethod"], polls["ResourcePath"]) == (route.method, "/" + route.path.replace("/", "~1"))
    assert polls["MetricsEnabled"] is everything["MetricsEnabled"]  # settings of a method replace those of all methods
    assert polls["DataTraceEnabled"] is False


def test_default_concurrency_is_that_of_a_new_account() -> None:
    concurrency = written()["Parameters"]["AccountConcurrency"]

    assert concurrency["Default"] == "10"
    assert concurrency["AllowedValues"] == list(POLLS)
