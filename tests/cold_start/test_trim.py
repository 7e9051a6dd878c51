"""The layer's build removes descriptions of other services and documentation, and nothing else that botocore reads."""

import runpy
import shutil
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import botocore
import botocore.session
import pytest
from botocore.loaders import Loader

from tests.template.document import ROOT

TRIM = runpy.run_path(str(ROOT / "layers/dependencies/trim"), run_name="trim")
INSTALLED = Path(botocore.__file__).parent
SERVICES: tuple[str, ...] = TRIM["SERVICES"]


@pytest.fixture(scope="module")
def trimmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trim a copy of botocore's data."""
    folder: Path = tmp_path_factory.mktemp("layer") / "data"
    skipped = [path.name for path in (INSTALLED / "data").iterdir() if path.is_dir() and path.name not in SERVICES]
    skipped.remove("sts")
    shutil.copytree(INSTALLED / "data", folder, ignore=lambda _, names: {*skipped} & {*names})
    TRIM["trim_descriptions"](folder)
    return folder


def loader(data: Path) -> Loader:
    """Make a loader that reads from this folder only."""
    return Loader(extra_search_paths=[str(data)], include_default_search_paths=False)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("kind", ["service-2", "paginators-1", "waiters-2", "endpoint-rule-set-1"])
def test_description_loses_only_documentation_and_uncalled_operations(trimmed: Path, service: str, kind: str) -> None:
    if (service, kind) == ("sqs", "waiters-2"):
        pytest.skip("SQS has no waiters")
    left, whole = (each.load_service_model(service, kind) for each in (loader(trimmed), Loader()))
    described = TRIM["without_documentation"](whole)
    assert left.keys() == described.keys()
    for part, content in left.items():
        if part in ("operations", "shapes", "pagination", "waiters"):
            assert content == {name: described[part][name] for name in content}
        else:
            assert content == described[part]


@pytest.mark.parametrize("service", SERVICES)
def test_regions_and_endpoints_of_kept_services_stay(trimmed: Path, service: str) -> None:
    left, whole = (each.load_data("endpoints")["partitions"] for each in (loader(trimmed), Loader()))
    assert [partition["regions"] for partition in left] == [partition["regions"] for partition in whole]
    assert [partition["services"].get(service) for partition in left] == [
        partition["services"].get(service) for partition in whole
    ]


def clients(trimmed: Path, service: str) -> list[Any]:
    """Make a client from the trimmed data, and one from the whole."""
    own = botocore.session.get_session()
    own.register_component("data_loader", loader(trimmed))
    sessions: list[Any] = [boto3.Session(botocore_session=each) for each in (own, botocore.session.get_session())]
    return [each.client(service) for each in sessions]


@pytest.mark.parametrize("service", SERVICES)
def test_client_from_trimmed_data_has_called_operations_with_all_their_shapes(trimmed: Path, service: str) -> None:
    left, whole = clients(trimmed, service)
    methods = left.meta.method_to_api_mapping
    assert {*methods.values()} == {*TRIM["OPERATIONS"][service]}
    assert [left.can_paginate(each) for each in methods] == [whole.can_paginate(each) for each in methods]
    for name in methods.values():
        of_left, of_whole = (each.meta.service_model.operation_model(name) for each in (left, whole))
        for shape in ("input_shape", "output_shape"):
            assert members(getattr(of_left, shape)) == members(getattr(of_whole, shape))


def members(shape: Any, above: frozenset[str] = frozenset()) -> Any:
    """Return the names and types of everything in a shape."""
    if shape is None or shape.name in above:
        return shape and shape.name
    above |= {shape.name}
    inner = [getattr(shape, part) for part in ("member", "key", "value") if hasattr(shape, part)]
    named = getattr(shape, "members", {})
    return shape.name, shape.type_name, [*named], [members(each, above) for each in (*inner, *named.values())]


def test_client_from_trimmed_data_presigns(trimmed: Path) -> None:
    left, whole = (
        client.generate_presigned_url("get_object", Params={"Bucket": "media", "Key": "media/x"})
        for client in clients(trimmed, "s3")
    )
    assert urlsplit(left).path == urlsplit(whole).path == "/media/x"
    assert parse_qs(urlsplit(left).query).keys() == parse_qs(urlsplit(whole).query).keys()


def test_other_services_are_removed(trimmed: Path) -> None:
    assert {path.name for path in trimmed.iterdir() if path.is_dir()} == {*SERVICES}
    assert {len(list((trimmed / service).iterdir())) for service in SERVICES} == {1}
    assert sum(path.stat().st_size for path in trimmed.rglob("*") if path.is_file()) < 1_500_000


def test_amazon_roots_are_the_five_authorities_of_aws(tmp_path: Path) -> None:
    bundle = tmp_path / "amazon-root-cas.pem"
    TRIM["write_amazon_roots"](TRIM["read_certificates"](INSTALLED / "cacert.pem"), bundle)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(bundle)
    names = [dict(part[0] for part in each["subject"])["commonName"] for each in context.get_ca_certs()]  # type: ignore[misc]
    assert sorted(names) == [
        *(f"Amazon Root CA {number}" for number in (1, 2, 3, 4)),
        "Starfield Services Root Certificate Authority - G2",
    ]


def test_missing_amazon_root_fails_the_build(tmp_path: Path) -> None:
    certificates = TRIM["read_certificates"](INSTALLED / "cacert.pem")
    with pytest.raises(SystemExit, match="no certificate of CN=Amazon Root CA 1"):
        TRIM["write_amazon_roots"]([each for each in certificates if "Root CA 1 " not in each[0]], tmp_path / "pem")


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl, as the build does")
def test_every_authority_has_a_file_of_its_own(tmp_path: Path) -> None:
    certificates = TRIM["read_certificates"](INSTALLED / "cacert.pem")
    assert len(certificates) == (INSTALLED / "cacert.pem").read_text().count("BEGIN CERTIFICATE") > 100
    same_name = certificates[0]
    TRIM["write_authorities"]([*certificates, same_name], tmp_path / "authorities")
    files = list((tmp_path / "authorities").iterdir())
    texts = [certificate for _, certificate in [*certificates, same_name]]
    assert sorted(path.read_text() for path in files) == sorted(texts)
    assert [path.stem for path in files if path.suffix == ".1"] == [
        path.stem for path in files if path.suffix == ".0" and path.read_text() == same_name[1]
    ]


def test_pattern_that_matches_nothing_fails_the_build(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="nothing matches bin"):
        TRIM["main"](tmp_path)
