"""Buckets and tables: closed, encrypted, tidied up, and their prefixes and keys those of the code."""

from typing import Any

import pytest

from profile_media.aws.tables import IDEMPOTENCY_PREFIX, QUOTA, WRITES_PREFIX
from profile_media.domain.keys import INCOMING_PREFIX, MEDIA_PREFIX
from tests.template.document import as_list, of_type, properties, text
from tools.template import written

BUCKETS = of_type("AWS::S3::Bucket")
TABLES = of_type("AWS::DynamoDB::Table")

NOTHING = {"Ref": "AWS::NoValue"}
OWN_KEY = {"Fn::If": ["UseOwnKey", {"Ref": "EncryptionKeyArn"}, NOTHING]}


def policy(bucket: str) -> dict[str, dict[str, Any]]:
    """The bucket policy's statements by Sid; one under a condition is taken as it would be if that held."""
    statements = properties(f"{bucket}Policy")["PolicyDocument"]["Statement"]
    present = [statement.get("Fn::If", [None, statement])[1] for statement in statements]
    return {statement["Sid"]: statement for statement in present}


def rules(bucket: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = BUCKETS[bucket]["LifecycleConfiguration"]["Rules"]
    return found


def test_there_are_two_buckets_and_two_tables() -> None:
    assert set(BUCKETS) == {"UploadsBucket", "MediaBucket"}
    assert set(TABLES) == {"UploadsTable", "UsersTable"}


@pytest.mark.parametrize("bucket", BUCKETS)
def test_buckets_are_private_owned_and_encrypted(bucket: str) -> None:
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
    assert "VersioningConfiguration" not in settings  # a deleted original must be gone


@pytest.mark.parametrize("bucket", BUCKETS)
def test_buckets_are_reached_over_tls_only(bucket: str) -> None:
    statement = policy(bucket)["OnlyOverTls"]

    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert [text(resource) for resource in statement["Resource"]] == [f"{bucket}.Arn", f"${{{bucket}.Arn}}/*"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_incoming_objects_come_by_fresh_presigned_posts_only() -> None:
    by_post, fresh = policy("UploadsBucket")["OnlyByPresignedPost"], policy("UploadsBucket")["OnlyWhileFresh"]

    for statement in (by_post, fresh):
        assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:PutObject")
        assert text(statement["Resource"]) == f"${{UploadsBucket.Arn}}/{INCOMING_PREFIX}*"
    assert by_post["Condition"] == {"StringNotEquals": {"s3:authType": "POST"}}
    assert fresh["Condition"] == {"NumericGreaterThan": {"s3:signatureAge": "600000"}}
    assert written()["Parameters"]["GrantSeconds"]["MaxValue"] * 1000 == 600_000


@pytest.mark.parametrize("bucket", BUCKETS)
def test_every_allow_in_a_bucket_policy_is_the_distributions(bucket: str) -> None:
    allows = [statement for statement in policy(bucket).values() if statement["Effect"] == "Allow"]

    assert len(allows) == (1 if bucket == "MediaBucket" else 0)
    for statement in allows:
        assert statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
        assert statement["Action"] == "s3:GetObject"
        assert text(statement["Resource"]) == f"${{MediaBucket.Arn}}/{MEDIA_PREFIX}*"
        assert list(statement["Condition"]["StringEquals"]) == ["aws:SourceArn"]


def test_browsers_may_post_to_the_uploads_bucket_and_read_what_uploaders_need() -> None:
    (rule,) = BUCKETS["UploadsBucket"]["CorsConfiguration"]["CorsRules"]

    assert text(rule["AllowedOrigins"]) == "AllowedOrigins"
    assert rule["AllowedMethods"] == ["POST"]
    assert rule["ExposedHeaders"] == ["ETag", "Location"]
    assert "AllowedHeaders" not in rule
    assert "CorsConfiguration" not in BUCKETS["MediaBucket"]


def test_incoming_objects_expire_after_a_day() -> None:
    expiring = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules("UploadsBucket") if expires(rule)}

    assert expiring == {INCOMING_PREFIX: 1}


def expires(rule: dict[str, Any]) -> bool:
    return any(name.startswith("Expiration") for name in rule)


def test_no_rule_of_any_bucket_can_expire_a_derivative() -> None:
    for bucket in BUCKETS:
        for rule in filter(expires, rules(bucket)):
            assert bucket != "MediaBucket"
            assert rule.get("Prefix")
            assert not rule["Prefix"].startswith(MEDIA_PREFIX)
            assert not MEDIA_PREFIX.startswith(rule["Prefix"])


@pytest.mark.parametrize("bucket", BUCKETS)
def test_what_was_left_unfinished_or_replaced_goes_after_a_day(bucket: str) -> None:
    (tidy,) = (rule for rule in rules(bucket) if rule["Id"] == "Tidy")

    assert "Prefix" not in tidy
    assert tidy["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert tidy["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}
    assert all(rule["Status"] == "Enabled" for rule in rules(bucket))


def test_the_bucket_that_process_upload_is_told_of_is_the_one_that_notifies_it() -> None:
    function = properties("ProcessUploadFunction")
    (source,) = function["Events"].values()

    assert function["Environment"]["Variables"]["UPLOADS_BUCKET"] == BUCKETS["UploadsBucket"]["BucketName"]
    assert text(source["Properties"]["Bucket"]) == "UploadsBucket"
    assert source["Properties"]["Filter"] == {"S3Key": {"Rules": [{"Name": "prefix", "Value": INCOMING_PREFIX}]}}


@pytest.mark.parametrize("table", TABLES)
def test_tables_are_on_demand_recoverable_encrypted_and_kept(table: str) -> None:
    settings, resource = TABLES[table], written()["Resources"][table]

    assert settings["BillingMode"] == "PAY_PER_REQUEST"
    assert settings["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert settings["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": OWN_KEY}
    assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("queue", of_type("AWS::SQS::Queue"))
def test_queues_are_encrypted_with_the_operators_key_or_else_by_sqs(queue: str) -> None:
    settings = properties(queue)

    assert settings["KmsMasterKeyId"] == OWN_KEY
    assert settings["SqsManagedSseEnabled"] == {"Fn::If": ["UseOwnKey", NOTHING, True]}


def test_the_operators_key_is_everywhere_or_nowhere() -> None:
    groups = of_type("AWS::Logs::LogGroup")

    assert {name for name, group in groups.items() if group.get("KmsKeyId") != OWN_KEY} == set()
    assert written()["Globals"]["Function"]["KmsKeyArn"] == OWN_KEY


def test_access_is_logged_where_there_is_a_bucket_for_it() -> None:
    kept = {name: settings["LoggingConfiguration"]["Fn::If"] for name, settings in BUCKETS.items()}
    kept["MediaDistribution"] = properties("MediaDistribution")["DistributionConfig"]["Logging"]["Fn::If"]
    prefixes = {text(log.get("LogFilePrefix") or log.get("Prefix")) for _, log, _ in kept.values()}

    assert {(condition, text(otherwise)) for condition, _, otherwise in kept.values()} == {
        ("LogAccess", "AWS::NoValue")
    }
    assert len(prefixes) == len(kept)  # so that none is taken for another's


def test_derivatives_outlive_the_stack() -> None:
    bucket = written()["Resources"]["MediaBucket"]

    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"


def test_an_upload_cannot_be_read_without_naming_its_owner() -> None:
    def keys(table: str) -> list[tuple[str, str]]:
        return [(key["AttributeName"], key["KeyType"]) for key in TABLES[table]["KeySchema"]]

    assert keys("UsersTable") == [("user_id", "HASH")]
    assert keys("UploadsTable") == [("owner_id", "HASH"), ("upload_id", "RANGE")]
    assert not any("SecondaryIndexes" in name for table in TABLES.values() for name in table)


def test_upload_rows_expire_and_every_removal_is_told() -> None:
    assert TABLES["UploadsTable"]["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert TABLES["UploadsTable"]["StreamSpecification"] == {"StreamViewType": "KEYS_ONLY"}


def test_rows_that_are_no_uploads_are_named_so_that_no_filter_takes_them() -> None:
    assert not {IDEMPOTENCY_PREFIX[0], QUOTA[0], WRITES_PREFIX[0]} & set("0123456789abcdef")


def test_pictures_are_served_read_only_and_with_headers_that_disarm_them() -> None:
    behaviour = properties("MediaDistribution")["DistributionConfig"]["DefaultCacheBehavior"]
    headers = properties("MediaHeaders")["ResponseHeadersPolicyConfig"]
    security = headers["SecurityHeadersConfig"]

    assert behaviour["AllowedMethods"] == behaviour["CachedMethods"] == ["GET", "HEAD"]
    assert behaviour["ViewerProtocolPolicy"] == "https-only"
    assert text(behaviour["ResponseHeadersPolicyId"]) == "MediaHeaders"
    assert security["ContentTypeOptions"] == {"Override": True}
    assert security["ContentSecurityPolicy"]["ContentSecurityPolicy"] == "default-src 'none'; sandbox"
    assert security["ReferrerPolicy"]["ReferrerPolicy"] == "no-referrer"
    assert security["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 31_536_000
    assert headers["CustomHeadersConfig"]["Items"] == [
        {"Header": "Cross-Origin-Resource-Policy", "Value": "cross-origin", "Override": True}
    ]


def test_the_distribution_and_all_its_parts_exist_only_without_a_media_base_url() -> None:
    parts = {name for name, body in written()["Resources"].items() if body["Type"].startswith("AWS::CloudFront::")}
    conditions = {written()["Resources"][name].get("Condition") for name in parts}

    assert len(parts) == 4
    assert conditions == {"CreateDistribution"}
    assert written()["Conditions"]["CreateDistribution"] == {"Fn::Equals": [{"Ref": "MediaBaseUrl"}, ""]}


def test_the_origin_is_read_with_signatures() -> None:
    (origin,) = properties("MediaDistribution")["DistributionConfig"]["Origins"]
    access = properties("MediaAccess")["OriginAccessControlConfig"]

    assert text(origin["OriginAccessControlId"]) == "MediaAccess.Id"
    assert (access["SigningBehavior"], access["SigningProtocol"]) == ("always", "sigv4")
    assert as_list(origin["S3OriginConfig"]["OriginAccessIdentity"]) == [""]
