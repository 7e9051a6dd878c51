"""Buckets, tables and queues: private, encrypted, cleaned up, with the prefixes and keys that the code uses."""

from typing import Any

import pytest

from profile_media.domain.keys import INCOMING_PREFIX, MASTERS_PREFIX, MEDIA_PREFIX
from tests.template.document import as_list, nested, of_type, properties, text
from tools.template import BUCKET, QUEUE, REQUIRED, STACK, TABLE, read, written

BUCKETS = of_type(BUCKET)
TABLES = of_type(TABLE)

NO_VALUE = {"Ref": "AWS::NoValue"}
DISTRIBUTION = "AWS::CloudFront::Distribution"
OWN_KEY = {"Fn::If": ["UseOwnKey", {"Ref": "EncryptionKeyArn"}, NO_VALUE]}
FOREIGN_DISTRIBUTION = "arn:aws:cloudfront::123456789012:distribution/E1ABCDEF"


def policy(bucket: str, **parameters: str) -> dict[str, dict[str, Any]]:
    """Return the statements of a bucket's policy by Sid, with parameters resolved."""
    template = read(given={**REQUIRED, **parameters})
    (found,) = (each for each in template.of_type("AWS::S3::BucketPolicy") if each.logical_id == f"{bucket}Policy")
    assert found.properties["Bucket"] == template.name(bucket)
    return {statement["Sid"]: statement for statement in found.properties["PolicyDocument"]["Statement"]}


def rules(bucket: str) -> list[dict[str, Any]]:
    """Return a bucket's lifecycle rules."""
    found: list[dict[str, Any]] = BUCKETS[bucket]["LifecycleConfiguration"]["Rules"]
    return found


def expires(rule: dict[str, Any]) -> bool:
    """Return whether a lifecycle rule deletes current objects."""
    return any(name.startswith("Expiration") for name in rule)


def arn(bucket: str) -> str:
    """Return a bucket's ARN as a resolved template has it."""
    return f"arn:aws:s3:::{read().name(bucket)}"


# --- buckets


@pytest.mark.parametrize("bucket", ["UploadsBucket", "MediaBucket"])
def test_bucket_is_private_owned_encrypted_and_keeps_no_originals(bucket: str) -> None:
    settings = BUCKETS[bucket]
    (encryption,) = settings["BucketEncryption"]["ServerSideEncryptionConfiguration"]

    assert settings["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    assert settings["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert encryption == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    if bucket == "UploadsBucket":
        assert "VersioningConfiguration" not in settings  # a deleted original must be gone


@pytest.mark.parametrize("bucket", ["UploadsBucket", "MediaBucket"])
def test_bucket_refuses_plain_http(bucket: str) -> None:
    assert policy(bucket)["OnlyOverTls"] == {
        "Sid": "OnlyOverTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn(bucket), f"{arn(bucket)}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


@pytest.mark.parametrize(
    ("sid", "condition"),
    [
        ("OnlyByPresignedPost", {"StringNotEquals": {"s3:authType": "POST"}}),
        ("OnlyWhileFresh", {"NumericGreaterThan": {"s3:signatureAge": "600000"}}),
    ],
)
def test_uploads_bucket_accepts_fresh_presigned_posts_only(sid: str, condition: dict[str, Any]) -> None:
    assert policy("UploadsBucket")[sid] == {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"{arn('UploadsBucket')}/{INCOMING_PREFIX}*",
        "Condition": condition,
    }
    assert written()["Parameters"]["GrantSeconds"]["MaxValue"] * 1000 == 600_000


def test_uploads_bucket_policy_allows_nothing() -> None:
    assert {statement["Effect"] for statement in policy("UploadsBucket").values()} == {"Deny"}


@pytest.mark.parametrize(
    ("parameters", "distribution"),
    [
        ({}, "arn:aws:cloudfront::123456789012:distribution/profile-media-local-MediaDistribution"),
        (
            {"MediaBaseUrl": "https://cdn.example.com", "MediaDistributionArn": FOREIGN_DISTRIBUTION},
            FOREIGN_DISTRIBUTION,
        ),
    ],
    ids=["own distribution", "given distribution"],
)
def test_media_bucket_is_read_by_exactly_one_distribution(parameters: dict[str, str], distribution: str) -> None:
    allowed = [each for each in policy("MediaBucket", **parameters).values() if each["Effect"] == "Allow"]

    assert allowed == [
        {
            "Sid": "ServedByOneDistribution",
            "Effect": "Allow",
            "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Action": "s3:GetObject",
            "Resource": f"{arn('MediaBucket')}/{MEDIA_PREFIX}*",
            "Condition": {"StringEquals": {"aws:SourceArn": distribution}},
        }
    ]


def test_distribution_may_not_read_masters() -> None:
    assert not MASTERS_PREFIX.startswith(MEDIA_PREFIX)


def test_media_bucket_is_read_by_nobody_without_a_distribution() -> None:
    assert set(policy("MediaBucket", MediaBaseUrl="https://cdn.example.com")) == {"OnlyOverTls"}


def test_browsers_may_post_to_the_uploads_bucket_only() -> None:
    (rule,) = BUCKETS["UploadsBucket"]["CorsConfiguration"]["CorsRules"]

    assert text(rule["AllowedOrigins"]) == "AllowedOrigins"
    assert rule["AllowedMethods"] == ["POST"]
    assert rule["ExposedHeaders"] == ["ETag", "Location"]
    assert "AllowedHeaders" not in rule
    assert "CorsConfiguration" not in BUCKETS["MediaBucket"]


def test_incoming_objects_expire_after_a_day() -> None:
    assert {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules("UploadsBucket") if expires(rule)} == {
        INCOMING_PREFIX: 1
    }


def test_derivatives_never_expire() -> None:
    assert not [rule for rule in rules("MediaBucket") if expires(rule)]


@pytest.mark.parametrize(
    ("bucket", "kept", "days"), [("UploadsBucket", "7", 1), ("MediaBucket", "0", 1), ("MediaBucket", "7", 7)]
)
def test_deleted_pictures_are_kept_only_as_long_as_chosen(bucket: str, kept: str, days: int) -> None:
    template = read(given={**REQUIRED, "KeepDeletedDays": kept})
    (found,) = (each.properties for each in template.of_type("AWS::S3::Bucket") if each.logical_id == bucket)
    rules = found["LifecycleConfiguration"]["Rules"]
    (tidy,) = (rule for rule in rules if rule["Id"] == "Tidy")

    assert "Prefix" not in tidy
    assert tidy["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert int(tidy["NoncurrentVersionExpiration"]["NoncurrentDays"]) == days
    assert found.get("VersioningConfiguration") == ({"Status": "Enabled"} if days > 1 else None)
    assert all(rule["Status"] == "Enabled" for rule in rules)


def test_process_upload_and_its_bucket_agree_on_the_name() -> None:
    function = properties("ProcessUploadFunction")
    (source,) = function["Events"].values()

    assert function["Environment"]["Variables"]["UPLOADS_BUCKET"] == BUCKETS["UploadsBucket"]["BucketName"]
    assert source["Properties"]["Filter"] == {"S3Key": {"Rules": [{"Name": "prefix", "Value": INCOMING_PREFIX}]}}


# --- tables


def test_no_upload_is_read_without_its_owner() -> None:
    def keys(schema: list[dict[str, str]]) -> list[tuple[str, str]]:
        return [(key["AttributeName"], key["KeyType"]) for key in schema]

    (index,) = TABLES["UploadsTable"]["GlobalSecondaryIndexes"]

    assert set(TABLES) == {"UploadsTable", "UsersTable"}
    assert keys(TABLES["UsersTable"]["KeySchema"]) == [("user_id", "HASH")]
    assert keys(TABLES["UploadsTable"]["KeySchema"]) == [("owner_id", "HASH"), ("upload_id", "RANGE")]
    assert index["IndexName"] == "by-upload-id"
    assert keys(index["KeySchema"]) == [("id_prefix", "HASH"), ("upload_id", "RANGE")]
    assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}


def test_removed_upload_rows_reach_the_stream_with_their_keys() -> None:
    assert TABLES["UploadsTable"]["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert TABLES["UploadsTable"]["StreamSpecification"] == {"StreamViewType": "OLD_IMAGE"}


@pytest.mark.parametrize("table", ["UploadsTable", "UsersTable"])
def test_table_is_on_demand_recoverable_and_encrypted(table: str) -> None:
    settings = TABLES[table]

    assert settings["BillingMode"] == "PAY_PER_REQUEST"
    assert settings["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert settings["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": OWN_KEY}


# --- keys and access logs


def test_own_key_encrypts_queues_logs_and_function_settings() -> None:
    queues = of_type(QUEUE).values()

    assert all(queue["KmsMasterKeyId"] == OWN_KEY for queue in queues)
    assert all(queue["SqsManagedSseEnabled"] == {"Fn::If": ["UseOwnKey", NO_VALUE, True]} for queue in queues)
    assert all(group["KmsKeyId"] == OWN_KEY for group in of_type("AWS::Logs::LogGroup").values())
    assert written()["Globals"]["Function"]["KmsKeyArn"] == OWN_KEY


def test_access_logs_go_to_one_bucket_under_different_prefixes() -> None:
    logs = {name: settings["LoggingConfiguration"]["Fn::If"] for name, settings in BUCKETS.items()}
    logs["MediaDistribution"] = properties("MediaDistribution")["DistributionConfig"]["Logging"]["Fn::If"]
    prefixes = {text(log.get("LogFilePrefix") or log.get("Prefix")) for _, log, _ in logs.values()}

    assert {(condition, text(otherwise)) for condition, _, otherwise in logs.values()} == {
        ("LogAccess", "AWS::NoValue")
    }
    assert len(prefixes) == len(logs)


# --- distribution


def test_distribution_serves_read_only_with_headers_that_disable_scripts() -> None:
    behaviour = properties("MediaDistribution")["DistributionConfig"]["DefaultCacheBehavior"]
    headers = nested("Delivery")["Headers"]["ResponseHeadersPolicyConfig"]
    security = headers["SecurityHeadersConfig"]

    assert behaviour["AllowedMethods"] == behaviour["CachedMethods"] == ["GET", "HEAD"]
    assert behaviour["ViewerProtocolPolicy"] == "https-only"
    assert text(behaviour["ResponseHeadersPolicyId"]) == "Delivery.Outputs.HeadersId"
    assert security["ContentTypeOptions"] == {"Override": True}
    assert security["ContentSecurityPolicy"]["ContentSecurityPolicy"] == "default-src 'none'; sandbox"
    assert security["ReferrerPolicy"]["ReferrerPolicy"] == "no-referrer"
    assert security["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 31_536_000
    assert headers["CustomHeadersConfig"]["Items"] == [
        {"Header": "Cross-Origin-Resource-Policy", "Value": "cross-origin", "Override": True}
    ]


def test_distribution_exists_only_without_a_media_base_url() -> None:
    def parts(**parameters: str) -> set[str]:
        template = read(given={**REQUIRED, **parameters})
        types = (DISTRIBUTION, STACK)
        watching = {"Alarms", "Cdn", "Dashboard", "Queries"}
        return {each.logical_id for type_ in types for each in template.of_type(type_)} - watching

    assert parts() == {"MediaDistribution", "Delivery"}
    assert parts(MediaBaseUrl="https://cdn.example.com") == set()


def test_distribution_keeps_its_place_in_the_main_stack() -> None:
    """A distribution that moves to another stack gets another domain name, and clients hold URLs with the old one."""
    assert list(of_type(DISTRIBUTION)) == ["MediaDistribution"]


def test_distribution_signs_its_requests_to_the_bucket() -> None:
    (origin,) = properties("MediaDistribution")["DistributionConfig"]["Origins"]
    access = nested("Delivery")["Access"]["OriginAccessControlConfig"]

    assert text(origin["OriginAccessControlId"]) == "Delivery.Outputs.AccessId"
    assert (access["SigningBehavior"], access["SigningProtocol"]) == ("always", "sigv4")
    assert as_list(origin["S3OriginConfig"]["OriginAccessIdentity"]) == [""]
