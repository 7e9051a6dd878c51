"""Bugs in what is deployed."""

from tests.mutants.workbench import Bug

_TEMPLATE = "template.yaml"
_RIGHTS = ("tests/template/test_rights.py",)
_STORAGE = ("tests/template/test_storage.py",)
_EVENTS = ("tests/template/test_events.py",)
_API = ("tests/template/test_api.py",)

BUGS = (
    Bug(
        "rights: whoever purges may read",
        _TEMPLATE,
        '{Effect: Allow, Action: "s3:DeleteObject", Resource: !Sub "${MediaBucket.Arn}/media/*"}',
        '{Effect: Allow, Action: ["s3:DeleteObject", "s3:GetObject"], Resource: !Sub "${MediaBucket.Arn}/media/*"}',
        _RIGHTS,
    ),
    Bug(
        "rights: whoever purges may not delete originals",
        _TEMPLATE,
        '            - {Effect: Allow, Action: "s3:DeleteObject", Resource: !Sub "${UploadsBucket.Arn}/incoming/*"}\n',
        "",
        _RIGHTS,
    ),
    Bug(
        "rights: whoever purges may list the whole bucket",
        _TEMPLATE,
        '              Condition: {StringLike: {"s3:prefix": media/*}}\n',
        "",
        _RIGHTS,
    ),
    Bug(
        "rights: grants on the whole bucket",
        _TEMPLATE,
        '- {Effect: Allow, Action: "s3:PutObject", Resource: !Sub "${UploadsBucket.Arn}/incoming/*"}',
        '- {Effect: Allow, Action: "s3:PutObject", Resource: !Sub "${UploadsBucket.Arn}/*"}',
        _RIGHTS,
    ),
    Bug(
        "storage: originals without TLS",
        _TEMPLATE,
        '            Resource: [!GetAtt UploadsBucket.Arn, !Sub "${UploadsBucket.Arn}/*"]\n'
        '            Condition: {Bool: {"aws:SecureTransport": "false"}}\n',
        '            Resource: [!GetAtt UploadsBucket.Arn, !Sub "${UploadsBucket.Arn}/*"]\n'
        '            Condition: {Bool: {"aws:SecureTransport": "true"}}\n',
        _STORAGE,
    ),
    Bug(
        "storage: originals by any request",
        _TEMPLATE,
        '            Condition: {StringNotEquals: {"s3:authType": POST}}\n',
        '            Condition: {StringEquals: {"s3:authType": POST}}\n',
        _STORAGE,
    ),
    Bug(
        "storage: originals by old signatures",
        _TEMPLATE,
        '{NumericGreaterThan: {"s3:signatureAge": "600000"}}',
        '{NumericGreaterThan: {"s3:signatureAge": "604800000"}}',
        _STORAGE,
    ),
    Bug(
        "storage: buckets that may be public",
        _TEMPLATE,
        "{BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true}",
        "{BlockPublicAcls: true, BlockPublicPolicy: false, IgnorePublicAcls: true, RestrictPublicBuckets: true}",
        _STORAGE,
    ),
    Bug(
        "storage: pictures expire by age",
        _TEMPLATE,
        "      LifecycleConfiguration: {Rules: [*tidy]}\n",
        "      LifecycleConfiguration: {Rules: [*tidy, {Id: Old, Status: Enabled, ExpirationInDays: 365}]}\n",
        _STORAGE,
    ),
    Bug(
        "storage: originals never expire",
        _TEMPLATE,
        "          - Id: ExpireIncoming\n            Status: Enabled\n",
        "          - Id: ExpireIncoming\n            Status: Disabled\n",
        _STORAGE,
    ),
    Bug(
        "storage: rows never expire",
        _TEMPLATE,
        "TimeToLiveSpecification: {AttributeName: expires_at, Enabled: true}",
        "TimeToLiveSpecification: {AttributeName: expires_at, Enabled: false}",
        _STORAGE,
    ),
    Bug(
        "storage: uploads keyed without their owner",
        _TEMPLATE,
        "        - {AttributeName: owner_id, KeyType: HASH}\n        - {AttributeName: upload_id, KeyType: RANGE}\n",
        "        - {AttributeName: upload_id, KeyType: HASH}\n",
        _STORAGE,
    ),
    Bug(
        "storage: uploaders cannot read the ETag",
        _TEMPLATE,
        "            ExposedHeaders: [ETag, Location]\n",
        "            ExposedHeaders: [Location]\n",
        _STORAGE,
    ),
    Bug(
        "storage: served to whoever guesses the bucket",
        _TEMPLATE,
        "              Principal: {Service: cloudfront.amazonaws.com}\n",
        '              Principal: "*"\n',
        _STORAGE,
    ),
    Bug(
        "storage: pictures that browsers may take for pages",
        _TEMPLATE,
        "          ContentTypeOptions: {Override: true}\n",
        "",
        _STORAGE,
    ),
    Bug(
        "stream: rows that were changed release as well",
        _TEMPLATE,
        '{"eventName": ["REMOVE"], "dynamodb"',
        '{"eventName": ["REMOVE", "MODIFY"], "dynamodb"',
        _EVENTS,
    ),
    Bug(
        "stream: one digit of ids is left out",
        _TEMPLATE,
        '{"prefix": "c"}, ',
        "",
        _EVENTS,
    ),
    Bug(
        "stream: a bad record holds up the others",
        _TEMPLATE,
        "      BisectBatchOnFunctionError: true\n",
        "      BisectBatchOnFunctionError: false\n",
        _EVENTS,
    ),
    Bug(
        "queue: a message is seen again while it is worked on",
        _TEMPLATE,
        "VisibilityTimeout: 190",
        "VisibilityTimeout: 30",
        _EVENTS,
    ),
    Bug(
        "queue: what fails is lost",
        _TEMPLATE,
        "      RedrivePolicy: {deadLetterTargetArn: !GetAtt PurgeDlq.Arn, maxReceiveCount: 5}\n",
        "",
        _EVENTS,
    ),
    Bug(
        "gateway: an invalid token has no answer of its own",
        _TEMPLATE,
        "        EXPIRED_TOKEN: *unauthorized\n",
        "",
        _API,
    ),
    Bug(
        "gateway: another message than the functions'",
        _TEMPLATE,
        '{"success": false, "message": "Invalid or expired token",',
        '{"success": false, "message": "Unauthorized",',
        _API,
    ),
    Bug(
        "gateway: caches keep refusals",
        _TEMPLATE,
        "              x-correlation-id: context.requestId\n"
        "              Cache-Control: \"'no-store'\"\n"
        "              # No credentials",
        "              x-correlation-id: context.requestId\n              # No credentials",
        _API,
    ),
    Bug(
        "gateway: an Allow that is kept for an hour",
        _TEMPLATE,
        "ReauthorizeEvery: 60}",
        "ReauthorizeEvery: 3600}",
        _API,
    ),
    Bug(
        "gateway: bodies in the log",
        _TEMPLATE,
        "DataTraceEnabled: false",
        "DataTraceEnabled: true",
        _API,
    ),
    Bug(
        "gateway: a route without the authorizer",
        _TEMPLATE,
        "Api: {Type: Api, Properties: {RestApiId: !Ref Api, Method: GET, Path: /media/profile}}",
        "Api: {Type: Api, Properties: {RestApiId: !Ref Api, Method: GET, Path: /media/profile,"
        " Auth: {Authorizer: NONE}}}",
        _API,
    ),
)
