"""Prepare what `sam build` built for a gradual deployment: `python -m tools.gradual STAGE`, before `sam deploy`.

It does nothing unless the stage sets `GradualDeployment`. Then the functions that answer requests get an alias, and
CodeDeploy moves its traffic to a new version, step by step. SAM publishes a version when a function's own code changes,
but not when a layer or the value of a parameter does, and it accepts no condition for an alias. So the alias is added
here, with a release id that is new in every deployment. Without it the template has no alias, and nobody can forget it.
"""

import sys
from collections.abc import Iterable, Iterator
from secrets import token_hex
from typing import Any

import yaml
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from tools.stages import StageInvalid, read_stage
from tools.template import FUNCTION, ROOT

BUILT = ROOT / ".aws-sam" / "build" / "template.yaml"
PARAMETER = "GradualDeployment"
RULE = "GradualDeploymentIsPrepared"
AUTHORIZER = "AuthorizeFunction"

ALARMS = ("ApiFailingNow", "UnexpectedErrors", "ApiLatency")
"""Outputs of alarms.yaml. Each of these alarms stops the deployment, and the former version takes all traffic again."""


def prepare(document: dict[str, Any], release: str) -> None:
    """Give the functions that answer requests an alias, which serves a new version in every release.

    The first ten characters of the release must be new: the version's logical id contains no more of them.
    """
    del document["Rules"][RULE]
    for function in _answering(document):
        document["Resources"][function]["Properties"] |= {
            "AutoPublishAlias": "live",
            "AutoPublishCodeSha256": release,
            "DeploymentPreference": {
                "Type": {"Ref": PARAMETER},
                "Alarms": [{"Fn::GetAtt": ["Alarms", f"Outputs.{name}"]} for name in ALARMS],
            },
        }
    authorizers = document["Resources"]["Api"]["Properties"]["Auth"]["Authorizers"]
    for authorizer in authorizers.values():
        authorizer["FunctionArn"] = {"Ref": f"{AUTHORIZER}.Alias"}


def _answering(document: dict[str, Any]) -> Iterator[str]:
    """Yield the functions behind the API and its authorizer. Events are processed by the new functions at once."""
    for name, body in document["Resources"].items():
        if body["Type"] == FUNCTION:
            events = body["Properties"].get("Events", {}).values()
            if name == AUTHORIZER or any(event["Type"] == "Api" for event in events):
                yield name


def new_release() -> str:
    """Return an id that no other release has."""
    return token_hex(16)


def is_asked_for(parameters: Iterable[str]) -> bool:
    """Return whether parameters, as name=value, ask for a gradual deployment."""
    return dict(each.split("=", 1) for each in parameters).get(PARAMETER, "none") != "none"


def main(stage: str) -> None:
    """Prepare the built template if the stage asks for it."""
    if is_asked_for(read_stage(stage).parameters):
        document = yaml_parse(BUILT.read_text())
        prepare(document, new_release())
        BUILT.write_text(yaml.safe_dump(document, sort_keys=False))


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except StageInvalid as error:
        sys.exit(str(error))
