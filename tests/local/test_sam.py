"""SAM CLI's own classes read the files that `make up` writes, and give each function the variables of the stack."""

import json
from collections.abc import Callable
from configparser import ConfigParser
from pathlib import Path

import boto3
import pytest
from samcli.cli.types import CfnParameterOverridesType
from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
from samcli.local.lambdafn.env_vars import EnvironmentVariables

from tools.local.addresses import Addresses
from tools.local.sam import write_files
from tools.template import TEMPLATE, read

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # in SAM CLI itself

ADDRESSES = Addresses(*(f"http://127.0.0.1:{port}" for port in range(3000, 3005)))
AWS = "http://host.docker.internal:3004"

type Resolve = Callable[[str], dict[str, str]]


@pytest.fixture
def resolve(tmp_path: Path) -> Resolve:
    """Return the variables that SAM CLI gives a container."""
    write_files(tmp_path, read(TEMPLATE, {}, ADDRESSES.aws, "us-east-1", ADDRESSES.local_parameters()), ADDRESSES)
    overrides = CfnParameterOverridesType().convert(f"file://{tmp_path / 'sam-parameters.yaml'}", None, None)
    stacks, _ = SamLocalStackProvider.get_stacks(str(TEMPLATE), parameter_overrides=overrides)
    provider = SamFunctionProvider(stacks)
    given = json.loads((tmp_path / "sam-env.json").read_text())
    assert {function.name for function in provider.get_all()} == given.keys()

    def resolved(name: str) -> dict[str, str]:
        function = provider.get(name)
        variables = EnvironmentVariables(
            function.name, function.memory, function.timeout, function.handler, function.logging_config,
            variables=function.environment["Variables"], override_values=given[name],
        )  # fmt: skip
        return dict(variables.resolve())

    return resolved


def test_containers_reach_the_stack_and_browsers_its_addresses(resolve: Resolve) -> None:
    intent = resolve("CreateUploadIntentFunction")
    assert intent["AWS_ENDPOINT_URL"] == AWS
    assert intent["UPLOADS_TABLE"] == "profile-media-local-UploadsTable"
    assert intent["UPLOADS_URL"].startswith("http://127.0.0.1:3002/profile-media-local-uploads-")
    assert intent["MEDIA_BASE_URL"] == "http://127.0.0.1:3002"
    assert intent["AVATAR_MAX_BYTES"] == "20971520"
    assert resolve("ReleaseMediaFunction")["PURGE_QUEUE_URL"].startswith(f"{AWS}/")
    authorize = resolve("AuthorizeFunction")
    assert authorize["TOKEN_JWKS_URL"] == "http://host.docker.internal:3003/.well-known/jwks.json"
    assert (authorize["TOKEN_ISSUER"], authorize["JWKS_ALLOW_LOOPBACK"]) == ("http://127.0.0.1:3003", "true")


def test_empty_endpoint_of_the_template_means_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "")
    for service in ("dynamodb", "s3", "sqs"):
        client = boto3.Session(region_name="eu-central-1").client(service)
        assert client.meta.endpoint_url == f"https://{service}.eu-central-1.amazonaws.com"


def test_aws_config_names_the_local_endpoint_and_its_credentials(
    resolve: Resolve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = ConfigParser()
    config.read(tmp_path / "aws-config")
    assert config["default"]["endpoint_url"] == ADDRESSES.aws
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws-config"))
    session = boto3.Session()
    credentials = session.get_credentials()
    assert credentials is not None
    assert credentials.access_key == config["default"]["aws_access_key_id"]
    assert session.client("sqs").meta.endpoint_url == ADDRESSES.aws
