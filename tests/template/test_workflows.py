"""The GitHub workflows: pinned actions, the stages that they deploy, and the role that trusts them."""

import re
from typing import Any

import pytest
import yaml

from tests.template.document import ROOT, written
from tools.stages import read_stage

GITHUB = ROOT / ".github"
FILES = sorted([*GITHUB.glob("workflows/*.yml"), *GITHUB.glob("actions/*/action.yml")])
JOBS: dict[str, Any] = yaml.safe_load((GITHUB / "workflows/deploy.yml").read_text())["jobs"]

_PINNED = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name + "/" + file.name)
def test_actions_of_others_are_pinned_to_a_commit(file: Any) -> None:
    used = re.findall(r"uses: (.+)", file.read_text())

    assert used
    for action in used:
        assert action.startswith("./") or _PINNED.fullmatch(action), action


def test_each_job_deploys_the_stage_of_its_environment() -> None:
    for name, job in JOBS.items():
        given = job["steps"][-1]["with"]
        assert job["environment"] == given["stage"] == read_stage(name).name
        assert job["permissions"] == {"contents": "read", "id-token": "write"}
    assert JOBS["production"]["needs"] == "staging"


def test_role_trusts_only_jobs_of_its_environment() -> None:
    template = written(GITHUB / "deploy-role.yaml")
    [statement] = template["Resources"]["DeployRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    claim = "token.actions.githubusercontent.com"

    assert statement["Condition"] == {
        "StringEquals": {
            f"{claim}:aud": "sts.amazonaws.com",
            f"{claim}:sub": {"Fn::Sub": "repo:${Repository}:environment:${Stage}"},
        }
    }
    assert template["Parameters"]["Stage"]["AllowedValues"] == list(JOBS)
