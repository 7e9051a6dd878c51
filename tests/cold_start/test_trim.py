"""What the layer's build leaves of botocore's descriptions is, for the operations that functions call, all of them."""

import json
import runpy
import shutil
from pathlib import Path
from typing import Any

import botocore
import botocore.session
import pytest
from botocore.loaders import Loader

from tests.template.document import ROOT

TRIM = runpy.run_path(str(ROOT / "layers/dependencies/trim"), run_name="trim")
DESCRIBED = json.loads((ROOT / "layers/dependencies/operations.json").read_text())
DATA = Path(botocore.__file__).parent / "data"


@pytest.fixture(scope="module")
def trimmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """botocore's data, as the layer has it."""
    folder: Path = tmp_path_factory.mktemp("layer") / "data"
    folder.mkdir()
    for name in (*TRIM["SHARED"], *DESCRIBED, "sts"):
        copy = shutil.copytree if (DATA / name).is_dir() else shutil.copy
        copy(DATA / name, folder / name)
    TRIM["trim_descriptions"](folder)
    return folder


def loader(data: Path) -> Loader:
    """What botocore reads descriptions with, from this folder only."""
    return Loader(extra_search_paths=[str(data)], include_default_search_paths=False)


def shape(service: dict[str, Any], name: str, seen: tuple[str, ...] = ()) -> Any:
    """A shape with all that it is made of, written out; one inside itself by its name."""
    if name in seen:
        return name
    return expanded(service, service["shapes"][name], (*seen, name))


def expanded(service: dict[str, Any], described: Any, seen: tuple[str, ...] = ()) -> Any:
    """A part of a description without prose, its shapes written out."""
    if isinstance(described, list):
        return [expanded(service, part, seen) for part in described]
    if not isinstance(described, dict):
        return described
    parts = {name: expanded(service, part, seen) for name, part in TRIM["without_prose"](described).items()}
    named = described.get("shape")
    return {**parts, "shape": shape(service, named, seen)} if isinstance(named, str) else parts


@pytest.mark.parametrize(
    ("service", "operation"), [(service, operation) for service, all_ in DESCRIBED.items() for operation in all_]
)
def test_an_operation_is_described_as_before(trimmed: Path, service: str, operation: str) -> None:
    left = loader(trimmed).load_service_model(service, "service-2")
    whole = Loader(include_default_search_paths=True).load_service_model(service, "service-2")

    assert expanded(left, left["operations"][operation]) == expanded(whole, whole["operations"][operation])
    assert left["metadata"] == whole["metadata"]


@pytest.mark.parametrize("service", DESCRIBED)
def test_endpoints_are_those_of_before(trimmed: Path, service: str) -> None:
    rules = "endpoint-rule-set-1"
    assert loader(trimmed).load_service_model(service, rules) == Loader().load_service_model(service, rules)
    left, whole = (each.load_data("endpoints")["partitions"] for each in (loader(trimmed), Loader()))
    assert [partition["regions"] for partition in left] == [partition["regions"] for partition in whole]
    assert [partition["services"].get(service) for partition in left] == [
        partition["services"].get(service) for partition in whole
    ]


@pytest.mark.parametrize("service", DESCRIBED)
def test_a_client_is_made_of_what_is_left_and_has_just_these_operations(trimmed: Path, service: str) -> None:
    own = botocore.session.get_session()
    own.register_component("data_loader", loader(trimmed))

    client: Any = own.create_client(service, region_name="eu-central-1")

    assert sorted(client.meta.method_to_api_mapping.values()) == sorted(DESCRIBED[service])
    assert service != "s3" or client.can_paginate("list_objects_v2")


def test_nothing_else_is_left(trimmed: Path) -> None:
    assert {path.name for path in trimmed.iterdir()} == {*TRIM["SHARED"], *DESCRIBED}
    assert {len(list((trimmed / service).iterdir())) for service in DESCRIBED} == {1}
    assert sum(path.stat().st_size for path in trimmed.rglob("*") if path.is_file()) < 300_000


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl, as the build does")
def test_each_authority_is_in_a_file_of_its_own_and_none_is_left_out(tmp_path: Path) -> None:
    every = TRIM["CERTIFICATE"].findall((DATA.parent / "cacert.pem").read_text())
    bundle, folder = tmp_path / "bundle.pem", tmp_path / "authorities"
    bundle.write_text("# with one whose name another has\n" + "\n".join([*every, every[0]]))

    TRIM["set_apart"](bundle, folder)

    assert len(every) > 100
    assert sorted(path.read_text() for path in folder.iterdir()) == sorted([*every, every[0]])
    assert [path.stem for path in folder.glob("*.1")] == [
        path.stem for path in folder.glob("*.0") if path.read_text() == every[0]
    ]


def test_what_is_unused_is_named_by_patterns_that_match_something(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="there is no bin any more"):
        TRIM["main"](tmp_path)
