"""Bugs in what speaks with AWS."""

from tests.mutants.workbench import Bug

_AWS = "layers/profile_media/profile_media/aws"
_ATTACHMENTS = ("tests/contract/test_attachments.py",)
_UPLOADS = ("tests/contract/test_uploads.py",)
_OBJECTS = ("tests/contract/test_objects.py",)
_ADAPTERS = ("tests/contract/test_aws_adapters.py",)
_PASSING = ("tests/contract/test_passing.py",)
_INTENT = ("tests/functions/test_create_upload_intent.py",)

BUGS = (
    # --- the swap
    Bug(
        "swap: the old row is deleted first",
        f"{_AWS}/attachments.py",
        "        failed = transact(*writes)\n",
        "        if isinstance(change.relied_on, Attachment):\n"
        "            write(delete(self._uploads, upload_key(owner_id, change.relied_on.upload_id)))\n"
        "        failed = transact(*writes)\n",
        _ATTACHMENTS,
    ),
    Bug(
        "swap: the old row stays",
        f"{_AWS}/attachments.py",
        "writes.append(delete(self._uploads, upload_key(owner_id, change.relied_on.upload_id)))",
        "str(change.relied_on.upload_id)",
        _ATTACHMENTS,
    ),
    Bug(
        "swap: whatever the slot holds",
        f"{_AWS}/attachments.py",
        "condition, held = _holds(change.slot, change.relied_on)",
        'condition, held = "(attribute_exists(#user_id) OR attribute_not_exists(#user_id))", {}',
        _ATTACHMENTS,
    ),
    Bug(
        "swap: an empty slot is no condition",
        f"{_AWS}/attachments.py",
        'return f"attribute_not_exists(#{slot})", {}',
        'return f"(attribute_exists(#{slot}) OR attribute_not_exists(#{slot}))", {}',
        _ATTACHMENTS,
    ),
    Bug(
        "swap: an upload in any state is bound",
        f"{_AWS}/attachments.py",
        '"#state = :ready AND #slot',
        '":ready = :ready AND #slot',
        _ATTACHMENTS,
    ),
    Bug(
        "swap: an upload of any slot is bound",
        f"{_AWS}/attachments.py",
        "AND #slot = :slot AND",
        "AND :slot = :slot AND",
        _ATTACHMENTS,
    ),
    Bug(
        "swap: an expired upload is bound",
        f"{_AWS}/attachments.py",
        "#slot = :slot AND #expires_at > :now",
        "#slot = :slot AND :now = :now",
        _ATTACHMENTS,
    ),
    Bug(
        "swap: a bound upload still expires",
        f"{_AWS}/attachments.py",
        "SET #state = :bound REMOVE #expires_at",
        "SET #state = :bound",
        _ATTACHMENTS,
    ),
    Bug(
        "swap: changes are not limited",
        f"{_AWS}/attachments.py",
        "attribute_not_exists(#changes) OR #changes < :limit",
        "attribute_not_exists(#changes) OR :limit = :limit",
        _ATTACHMENTS,
    ),
    Bug(
        "swap: a user who is known meanwhile gets another tenant",
        f"{_AWS}/attachments.py",
        '            condition += " AND attribute_not_exists(#created_at)"\n',
        "",
        _ATTACHMENTS,
    ),
    # --- rows
    Bug(
        "rows: an upload is found under any owner",
        f"{_AWS}/uploads.py",
        "        item = get(self._table, upload_key(owner_id, upload_id))\n",
        "        from profile_media.aws import session\n"
        "        items = session.dynamodb().scan(TableName=self._table)['Items']\n"
        "        item = next((each for each in items if each['upload_id']['S'] == upload_id), None)\n",
        _UPLOADS,
    ),
    Bug(
        "rows: items are read weakly",
        f"{_AWS}/dynamodb.py",
        ", ConsistentRead=True)",
        ")",
        _ADAPTERS,
    ),
    Bug(
        "rows: an upload in any state is settled",
        f"{_AWS}/uploads.py",
        "#state = :pending AND #expires_at",
        ":pending = :pending AND #expires_at",
        _UPLOADS,
    ),
    Bug(
        "rows: an expired upload is settled",
        f"{_AWS}/uploads.py",
        ":pending AND #expires_at > :now",
        ":pending AND :now = :now",
        _UPLOADS,
    ),
    Bug(
        "rows: an upload is settled without any condition",
        f"{_AWS}/uploads.py",
        "#state = :pending AND #expires_at > :now",
        ":pending = :pending AND :now = :now",
        _UPLOADS,
    ),
    Bug(
        "rows: open intents are not limited",
        f"{_AWS}/uploads.py",
        "size(#open) < :open_limit",
        ":open_limit = :open_limit",
        _UPLOADS,
    ),
    Bug(
        "rows: an hour's intents are not limited",
        f"{_AWS}/uploads.py",
        "size(#recent) < :recent_limit",
        ":recent_limit = :recent_limit",
        _UPLOADS,
    ),
    Bug(
        "rows: one intent too many",
        f"{_AWS}/uploads.py",
        "size(#open) < :open_limit",
        "size(#open) <= :open_limit",
        _UPLOADS,
    ),
    Bug(
        "rows: a key in use is taken over",
        f"{_AWS}/uploads.py",
        "#expires_at <= :now OR #made = :made",
        "#expires_at <= :now OR :made = :made",
        _UPLOADS,
    ),
    Bug(
        "rows: a key is freed whatever it names",
        f"{_AWS}/uploads.py",
        'delete(self._table, key, "#made = :made", made=remembered.upload_id)',
        "delete(self._table, key)",
        _UPLOADS,
    ),
    Bug(
        "rows: the same upload again is refused",
        f"{_AWS}/uploads.py",
        "        if row_failed:\n            return  # ",
        "        if row_failed:\n            raise KeyTaken  # ",
        _UPLOADS,
    ),
    Bug(
        "rows: expiry in milliseconds",
        f"{_AWS}/tables.py",
        "    return int(moment.timestamp())\n",
        "    return int(moment.timestamp() * 1000)\n",
        _UPLOADS,
    ),
    Bug(
        "rows: another tenant's user is written",
        f"{_AWS}/profiles.py",
        "attribute_not_exists(#created_at) OR #tenant = :tenant",
        "attribute_not_exists(#created_at) OR attribute_exists(#created_at)",
        _ATTACHMENTS,
    ),
    Bug(
        "transactions: a conflict is not waited for",
        f"{_AWS}/dynamodb.py",
        "            if _CONDITION_FAILED in reasons or not _PASSING.intersection(reasons):\n                raise\n",
        "            raise\n",
        _PASSING,
    ),
    Bug(
        "calls: what passes by itself is an error of ours",
        f"{_AWS}/session.py",
        "        if is_passing(code):\n            raise Unavailable(str(code)) from error\n        raise\n",
        "        raise\n",
        _PASSING,
    ),
    Bug(
        "calls: a few refusals are noticed",
        f"{_AWS}/session.py",
        "ATTEMPTS = 3\n",
        "ATTEMPTS = 1\n",
        ("tests/unit/test_limits.py",),
    ),
    # --- grants
    Bug(
        "policy: any length",
        f"{_AWS}/grants.py",
        '        conditions.append(["content-length-range", SMALLEST_UPLOAD, length])\n',
        "",
        _INTENT,
    ),
    Bug(
        "policy: nothing at all may be uploaded",
        "layers/profile_media/profile_media/domain/policy.py",
        "SMALLEST_UPLOAD = 1\n",
        "SMALLEST_UPLOAD = 0\n",
        _INTENT,
    ),
    Bug(
        "policy: more bytes than declared",
        f"{_AWS}/grants.py",
        "SMALLEST_UPLOAD, length]",
        "SMALLEST_UPLOAD, length + 1]",
        _INTENT,
    ),
    Bug(
        "policy: any checksum",
        f"{_AWS}/grants.py",
        '            fields["x-amz-checksum-sha256"] = upload.checksum_sha256\n',
        "            pass\n",
        _INTENT,
    ),
    Bug(
        "policy: a content type that starts as declared",
        f"{_AWS}/grants.py",
        "*({name: value} for name, value in fields.items())]",
        '*(["starts-with", f"${name}", value] if name == "Content-Type" else {name: value}'
        " for name, value in fields.items())]",
        _INTENT,
    ),
    Bug(
        "policy: a key that starts as promised",
        f"{_AWS}/grants.py",
        "*({name: value} for name, value in fields.items())]",
        '*(["starts-with", f"${name}", value] if name == "key" else {name: value} for name, value in fields.items())]',
        _INTENT,
    ),
    Bug(
        "policy: any bucket",
        f"{_AWS}/grants.py",
        '[{"bucket": self._bucket}, *(',
        "[*(",
        _INTENT,
    ),
    Bug(
        "policy: a POST for hours",
        "layers/profile_media/profile_media/domain/lifecycle.py",
        "expiry = signed_at + lifetimes.grant",
        "expiry = signed_at + lifetimes.grant * 12",
        _INTENT,
    ),
    # --- objects
    Bug(
        "objects: nobody may keep a derivative",
        f"{_AWS}/objects.py",
        "                CacheControl=IMMUTABLE,\n",
        "",
        ("tests/functions/test_events.py",),
    ),
    Bug(
        "objects: a derivative has no type",
        f"{_AWS}/objects.py",
        "                ContentType=derivative.content_type.value,\n",
        "",
        ("tests/functions/test_events.py",),
    ),
    Bug(
        "objects: a purge of everything that starts alike",
        f"{_AWS}/objects.py",
        "Prefix=media_prefix(upload_id))",
        "Prefix=media_prefix(upload_id)[:-2])",
        _OBJECTS,
    ),
    Bug(
        "objects: a purge of the first page only",
        f"{_AWS}/objects.py",
        "                deleted += len(keys)\n",
        "                deleted += len(keys)\n                break\n",
        _ADAPTERS,
    ),
    Bug(
        "objects: deletes that S3 refused go unnoticed",
        f"{_AWS}/objects.py",
        'raise DeleteFailed(errors[0].get("Code", ""))',
        "errors.clear()",
        _ADAPTERS,
    ),
    Bug(
        "queue: messages that SQS refused go unnoticed",
        f"{_AWS}/purge_queue.py",
        'answer.get("Failed", ())',
        'answer.get("Refused", ())',
        _ADAPTERS,
    ),
    Bug(
        "links: good for a day",
        f"{_AWS}/viewing.py",
        "LIFETIME = 900\n",
        "LIFETIME = 86_400\n",
        ("tests/functions/test_update_profile_picture.py",),
    ),
    Bug(
        "links: kept by caches",
        f"{_AWS}/viewing.py",
        ', "ResponseCacheControl": "no-store"}',
        "}",
        ("tests/functions/test_update_profile_picture.py",),
    ),
)
