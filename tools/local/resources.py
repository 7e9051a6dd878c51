"""Create the template's tables, buckets and queues in moto: the template is the only schema.

CloudFormation and the services' own APIs spell a few properties differently. This module translates them.
"""

import json
from typing import Any

from tools.local import aws
from tools.template import BUCKET, QUEUE, TABLE, Resource, Template

HEADERS_POLICY = "AWS::CloudFront::ResponseHeadersPolicy"
_TABLE_PROPERTIES = (
    "KeySchema",
    "AttributeDefinitions",
    "BillingMode",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
    "ProvisionedThroughput",
)
_QUEUE_ATTRIBUTES = (
    "DelaySeconds",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "VisibilityTimeout",
)
_CORS_RULE = {"MaxAge": "MaxAgeSeconds", "ExposedHeaders": "ExposeHeaders", "Id": "ID"}
_LIFECYCLE_RULE = {"Id": "ID"}


def create_all(template: Template) -> None:
    """Create all tables, buckets and queues."""
    for table in template.of_type(TABLE):
        _create_table(template, table)
    for bucket in template.of_type(BUCKET):
        _create_bucket(template, bucket)
    # Dead-letter queues first: the queue that a redrive policy names must exist.
    for queue in sorted(template.of_type(QUEUE), key=lambda queue: "RedrivePolicy" in queue.properties):
        _create_queue(template, queue)


def media_headers(template: Template) -> dict[str, str]:
    """Return the headers that the distribution adds to every picture."""
    headers: dict[str, str] = {}
    for part in (template, *template.nested.values()):
        for policy in part.of_type(HEADERS_POLICY):
            headers |= _added_headers(policy.properties["ResponseHeadersPolicyConfig"])
    return headers


def _added_headers(policy: dict[str, Any]) -> dict[str, str]:
    """Return the headers that a policy adds, but for Strict-Transport-Security, which browsers ignore over http."""
    headers: dict[str, str] = {}
    security = policy.get("SecurityHeadersConfig") or {}
    if "ContentTypeOptions" in security:
        headers["X-Content-Type-Options"] = "nosniff"
    if content := security.get("ContentSecurityPolicy"):
        headers["Content-Security-Policy"] = content["ContentSecurityPolicy"]
    if referrer := security.get("ReferrerPolicy"):
        headers["Referrer-Policy"] = referrer["ReferrerPolicy"]
    items = (policy.get("CustomHeadersConfig") or {}).get("Items") or []
    return headers | {item["Header"]: item["Value"] for item in items}


def _create_table(template: Template, table: Resource) -> None:
    dynamodb = aws.client("dynamodb", template.endpoint)
    name = template.name(table.logical_id)
    properties = {key: table.properties[key] for key in _TABLE_PROPERTIES if key in table.properties}
    if stream := table.properties.get("StreamSpecification"):
        properties["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": stream["StreamViewType"]}
    dynamodb.create_table(TableName=name, **properties)
    if expiry := table.properties.get("TimeToLiveSpecification"):
        specification = {"AttributeName": expiry["AttributeName"], "Enabled": _is_true(expiry.get("Enabled", True))}
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=specification)


def _create_bucket(template: Template, bucket: Resource) -> None:
    s3 = aws.client("s3", template.endpoint)
    name = template.name(bucket.logical_id)
    s3.create_bucket(Bucket=name)
    if cors := bucket.properties.get("CorsConfiguration"):
        rules = [_respell(rule, _CORS_RULE) for rule in cors["CorsRules"]]
        s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": rules})
    if lifecycle := bucket.properties.get("LifecycleConfiguration"):
        rules = [_lifecycle_rule(rule) for rule in lifecycle["Rules"]]
        s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})
    if versioning := bucket.properties.get("VersioningConfiguration"):
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": versioning["Status"]})


def _lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    """Nest the properties as S3's API does; CloudFormation has them flat."""
    nested = _respell(rule, _LIFECYCLE_RULE)
    nested["Filter"] = {"Prefix": nested.pop("Prefix", "")}
    if days := nested.pop("ExpirationInDays", None):
        nested["Expiration"] = {"Days": int(days)}
    if days := nested.pop("NoncurrentVersionExpirationInDays", None):
        nested["NoncurrentVersionExpiration"] = {"NoncurrentDays": int(days)}
    if noncurrent := nested.get("NoncurrentVersionExpiration"):
        nested["NoncurrentVersionExpiration"] = {"NoncurrentDays": int(noncurrent["NoncurrentDays"])}
    if nested.pop("ExpiredObjectDeleteMarker", None):
        nested["Expiration"] = {"ExpiredObjectDeleteMarker": True}
    return nested


def _create_queue(template: Template, queue: Resource) -> None:
    attributes = {key: str(queue.properties[key]) for key in _QUEUE_ATTRIBUTES if key in queue.properties}
    if redrive := queue.properties.get("RedrivePolicy"):
        attributes["RedrivePolicy"] = json.dumps(redrive)
    sqs = aws.client("sqs", template.endpoint)
    sqs.create_queue(QueueName=template.name(queue.logical_id), Attributes=attributes)


def _respell(rule: dict[str, Any], spelling: dict[str, str]) -> dict[str, Any]:
    return {spelling.get(name, name): value for name, value in rule.items()}


def _is_true(value: object) -> bool:
    return str(value).lower() == "true"
