"""The template reader resolves values as CloudFormation does, to the names in the local AWS."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tools.local.event_sources import notifications_of, sources_of
from tools.local.runner import functions_of
from tools.template import BUCKET, QUEUE, TABLE, Template, TemplateInvalid, read

ReadTemplate = Callable[..., Template]

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = """
    Transform: AWS::Serverless-2016-10-31
    Parameters:
      Stage: {Type: String, Default: dev, AllowedValues: [dev, live]}
      Delay: {Type: Number, Default: 900, MinValue: 0, MaxValue: 900}
      Origins: {Type: CommaDelimitedList, Default: "https://a, https://b"}
      Media: {Type: String, Default: "", AllowedPattern: "(https?://.*[^/])?"}
    Mappings: {Sizes: {dev: {memory: 256}, live: {memory: 1024}}}
    Conditions:
      IsLive: !Equals [!Ref Stage, live]
      HasMedia: !Not [!Equals [!Ref Media, ""]]
      Both: !And [!Condition IsLive, !Condition HasMedia]
      Either: !Or [!Condition IsLive, !Condition HasMedia]
    Globals:
      Function:
        Handler: app.handler
        Timeout: 10
        Layers: [one]
        Environment: {Variables: {SERVICE: media, LEVEL: INFO}}
    Resources:
      Pictures: {Type: AWS::S3::Bucket, Properties: {BucketName: !Sub "${AWS::StackName}-pictures"}}
      LiveOnly: {Type: AWS::S3::Bucket, Condition: IsLive}
      Rows: {Type: AWS::DynamoDB::Table, Properties: {StreamSpecification: {StreamViewType: KEYS_ONLY}}}
      Jobs: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: !Ref Delay}}
      WorkFunction:
        Type: AWS::Serverless::Function
        Properties:
          CodeUri: functions/work
          Timeout: 3
          Layers: [two]
          MemorySize: !FindInMap [Sizes, !Ref Stage, memory]
          ReservedConcurrentExecutions: !If [IsLive, 5, !Ref AWS::NoValue]
          Events:
            New:
              Type: S3
              Properties:
                Bucket: !Ref Pictures
                Events: s3:ObjectCreated:*
                Filter: {S3Key: {Rules: [{Name: prefix, Value: incoming/}]}}
            Jobs: {Type: SQS, Properties: {Queue: !GetAtt Jobs.Arn, BatchSize: 4}}
          Environment:
            Variables:
              LEVEL: DEBUG
              TABLE: !Ref Rows
              QUEUE: !Ref Jobs
              BUCKET_ARN: !GetAtt Pictures.Arn
              STREAM: !GetAtt [Rows, StreamArn]
              URL: !Sub ["https://${Host}/${!literal}/${Stage}", {Host: !Join [".", [cdn, !Select [1, [x, example]]]]}]
              ORIGINS: !Join [",", !Ref Origins]
              FIRST: !Select [0, !Split ["-", "one-two"]]
              EITHER: !If [Either, "yes", "no"]
              BOTH: !If [Both, "yes", "no"]
              FLAG: true
              REMOVED: /opt/file
      RowsSource:
        Type: AWS::Lambda::EventSourceMapping
        Properties: {FunctionName: !Ref WorkFunction, EventSourceArn: !GetAtt Rows.StreamArn, BatchSize: 7}
"""


def test_function_environment_is_resolved(read_template: ReadTemplate) -> None:
    template = read_template(TEMPLATE, {"Media": "http://m"}, endpoint="http://127.0.0.1:1")
    functions = functions_of(
        template, {"AWS_ENDPOINT_URL": "http://e"}, {"URL": "http://edge", "UNUSED": "x", "REMOVED": None}
    )
    work = functions["WorkFunction"]
    assert work.environment == {
        "SERVICE": "media",
        "LEVEL": "DEBUG",
        "TABLE": "profile-media-local-Rows",
        "QUEUE": "http://127.0.0.1:1/123456789012/profile-media-local-Jobs",
        "BUCKET_ARN": "arn:aws:s3:::profile-media-local-pictures",
        "STREAM": "arn:aws:dynamodb:us-east-1:123456789012:table/profile-media-local-Rows/stream/local",
        "URL": "http://edge",
        "ORIGINS": "https://a,https://b",
        "FIRST": "one",
        "EITHER": "yes",
        "BOTH": "no",
        "FLAG": "true",
        "AWS_ENDPOINT_URL": "http://e",
    }
    assert (work.handler, work.timeout, work.memory, work.concurrency) == ("app.handler", 3, 256, 64)
    assert work.code == template.path.parent / "functions" / "work"


def test_sub_uses_its_own_values_first_and_keeps_literals(read_template: ReadTemplate) -> None:
    variables = read_template(TEMPLATE).functions["WorkFunction"].properties["Environment"]["Variables"]
    assert variables["URL"] == "https://cdn.example/${literal}/dev"


def test_globals_are_merged_into_functions(read_template: ReadTemplate) -> None:
    properties = read_template(TEMPLATE).functions["WorkFunction"].properties
    assert (properties["Layers"], properties["Timeout"]) == (["one", "two"], 3)


def test_resource_with_a_false_condition_is_left_out(read_template: ReadTemplate) -> None:
    assert [found.logical_id for found in read_template(TEMPLATE).of_type(BUCKET)] == ["Pictures"]
    live = read_template(TEMPLATE, {"Stage": "live"})
    assert [found.logical_id for found in live.of_type(BUCKET)] == ["Pictures", "LiveOnly"]
    assert functions_of(live, {}, {})["WorkFunction"].concurrency == 5


def test_event_sources_of_functions_and_mappings_are_found(read_template: ReadTemplate) -> None:
    template = read_template(TEMPLATE)
    found = [(source.function, source.source, source.type, source.batch_size) for source in sources_of(template)]
    assert found == [("WorkFunction", "Rows", TABLE, 7), ("WorkFunction", "Jobs", QUEUE, 4)]
    (notification,) = notifications_of(template)
    assert (notification.function, notification.bucket) == ("WorkFunction", "Pictures")
    assert notification.configuration == {
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "incoming/"}]}},
    }


def test_given_parameter_overrides_local_one_and_default(read_template: ReadTemplate) -> None:
    assert read_template(TEMPLATE).parameters["Delay"] == "900"
    assert read_template(TEMPLATE, Delay="10", Unknown="ignored").parameters["Delay"] == "10"
    assert read_template(TEMPLATE, {"Delay": "2"}, Delay="10").parameters["Delay"] == "2"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"Dleay": "2"}, "no parameter Dleay"),
        ({"Stage": "test"}, "one of dev, live"),
        ({"Delay": "901"}, "from 0 to 900"),
        ({"Delay": "soon"}, "a number"),
        ({"Media": "http://m/"}, "must match"),
    ],
)
def test_invalid_parameter_is_refused(given: dict[str, str], message: str, read_template: ReadTemplate) -> None:
    with pytest.raises(TemplateInvalid, match=message):
        read_template(TEMPLATE, given)


@pytest.mark.parametrize("value", ["!Ref Nobody", "!GetAtt Nobody.Arn", "!Cidr [a, 1, 2]"])
def test_unresolvable_value_is_an_error(value: str, read_template: ReadTemplate) -> None:
    template = read_template(TEMPLATE.replace("LEVEL: DEBUG", f"LEVEL: {value}"))
    with pytest.raises(TemplateInvalid):
        _ = template.functions


def test_services_template_names_existing_functions() -> None:
    given = {"TokenIssuer": "http://127.0.0.1:1", "TokenAudience": "a", "AllowedOrigins": "http://127.0.0.1:2"}
    template = read(ROOT / "template.yaml", given, "http://127.0.0.1:3", "us-east-1")
    functions = functions_of(template, {}, {})
    assert {function.code for function in functions.values()} == {
        path.parent for path in (ROOT / "functions").glob("*/app.py")
    }
    assert {source.function for source in sources_of(template)} == {
        "ProcessUploadFunction",
        "ReleaseMediaFunction",
        "PurgeMediaFunction",
    }
    assert {found.function for found in notifications_of(template)} == {"ProcessUploadFunction"}
