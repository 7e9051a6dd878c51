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
        "        failed = transact(fill)\n",
        "        if isinstance(change.relied_on, Attachment):\n"
        "            UploadRow(change.profile.user_id, change.relied_on.upload_id).delete()\n"
        "        failed = transact(fill)\n",
        _ATTACHMENTS,
    ),
    Bug(
        "swap: the old row stays",
        f"{_AWS}/attachments.py",
        "transaction.delete(UploadRow(owner_id, change.relied_on.upload_id))",
        "str(change.relied_on.upload_id)",
        _ATTACHMENTS,
    ),
    Bug(
        "swap: whatever the slot holds",
        f"{_AWS}/attachments.py",
        "condition = _holds(slot, change.relied_on)",
        "condition = UserRow.user_id.exists() | UserRow.user_id.does_not_exist()",
        _ATTACHMENTS,
    ),
    Bug(
        "swap: an empty slot is no condition",
        f"{_AWS}/attachments.py",
        "            condition = slot.does_not_exist()\n",
        "            condition = slot.exists() | slot.does_not_exist()\n",
        _ATTACHMENTS,
    ),
    Bug(
        "swap: an upload in any state is bound",
        f"{_AWS}/attachments.py",
        "condition=(UploadRow.state == State.READY.value)\n        & (UploadRow.slot",
        "condition=(UploadRow.slot",
        _ATTACHMENTS,
    ),
    Bug(
        "swap: an upload of any slot is bound",
        f"{_AWS}/attachments.py",
        "        & (UploadRow.slot == slot.value)\n",
        "",
        _ATTACHMENTS,
    ),
    Bug(
        "swap: an expired upload is bound",
        f"{_AWS}/attachments.py",
        "        & (UploadRow.expires_at > seconds(now)),\n",
        ",\n",
        _ATTACHMENTS,
    ),
    Bug(
        "swap: a bound upload still expires",
        f"{_AWS}/attachments.py",
        "actions=[UploadRow.state.set(State.BOUND.value), UploadRow.expires_at.remove()],",
        "actions=[UploadRow.state.set(State.BOUND.value)],",
        _ATTACHMENTS,
    ),
    Bug(
        "swap: changes are not limited",
        f"{_AWS}/attachments.py",
        "condition=WritesRow.changes.does_not_exist() | (WritesRow.changes < limit.per_minute),",
        "condition=WritesRow.changes.does_not_exist() | (WritesRow.changes >= 0),",
        _ATTACHMENTS,
    ),
    Bug(
        "swap: a user who is known meanwhile gets another tenant",
        f"{_AWS}/attachments.py",
        "        condition &= UserRow.created_at.does_not_exist()\n",
        "",
        _ATTACHMENTS,
    ),
    # --- rows
    Bug(
        "rows: an upload is found under any owner",
        f"{_AWS}/uploads.py",
        "                return upload_of(UploadRow.get(owner_id, upload_id, consistent_read=True))\n",
        "                found = [row for row in UploadRow.scan() if row.upload_id == upload_id]\n"
        "                return upload_of(found[0]) if found else None\n",
        _UPLOADS,
    ),
    Bug(
        "rows: an upload is read weakly",
        f"{_AWS}/uploads.py",
        "UploadRow.get(owner_id, upload_id, consistent_read=True)",
        "UploadRow.get(owner_id, upload_id)",
        _ADAPTERS,
    ),
    Bug(
        "rows: a profile is read weakly",
        f"{_AWS}/profiles.py",
        "UserRow.get(user_id, consistent_read=True)",
        "UserRow.get(user_id)",
        _ADAPTERS,
    ),
    Bug(
        "rows: a quota is read weakly",
        f"{_AWS}/uploads.py",
        "QuotaRow.get(owner_id, QUOTA, consistent_read=True)",
        "QuotaRow.get(owner_id, QUOTA)",
        _ADAPTERS,
    ),
    Bug(
        "rows: an upload in any state is settled",
        f"{_AWS}/uploads.py",
        "still_pending = (UploadRow.state == State.PENDING.value) & (UploadRow.expires_at > seconds(now))",
        "still_pending = UploadRow.expires_at > seconds(now)",
        _UPLOADS,
    ),
    Bug(
        "rows: an expired upload is settled",
        f"{_AWS}/uploads.py",
        "still_pending = (UploadRow.state == State.PENDING.value) & (UploadRow.expires_at > seconds(now))",
        "still_pending = UploadRow.state == State.PENDING.value",
        _UPLOADS,
    ),
    Bug(
        "rows: an upload is settled without any condition",
        f"{_AWS}/uploads.py",
        "row.update(actions, condition=still_pending)",
        "row.update(actions)",
        _UPLOADS,
    ),
    Bug(
        "rows: open intents are not limited",
        f"{_AWS}/uploads.py",
        "condition=_fewer(QuotaRow.open, open_limit) & _fewer(QuotaRow.recent, recent_limit),",
        "condition=_fewer(QuotaRow.recent, recent_limit),",
        _UPLOADS,
    ),
    Bug(
        "rows: an hour's intents are not limited",
        f"{_AWS}/uploads.py",
        "condition=_fewer(QuotaRow.open, open_limit) & _fewer(QuotaRow.recent, recent_limit),",
        "condition=_fewer(QuotaRow.open, open_limit),",
        _UPLOADS,
    ),
    Bug(
        "rows: one intent too many",
        f"{_AWS}/uploads.py",
        "(size(entries) < limit)",
        "(size(entries) <= limit)",
        _UPLOADS,
    ),
    Bug(
        "rows: a key in use is taken over",
        f"{_AWS}/uploads.py",
        "condition=free | (IdempotencyRow.made == upload.upload_id)",
        "condition=free | IdempotencyRow.made.exists()",
        _UPLOADS,
    ),
    Bug(
        "rows: a key is freed whatever it names",
        f"{_AWS}/uploads.py",
        "row.delete(condition=IdempotencyRow.made == remembered.upload_id)",
        "row.delete()",
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
        "same = UserRow.created_at.does_not_exist() | (UserRow.tenant == tenant)",
        "same = UserRow.created_at.does_not_exist() | UserRow.created_at.exists()",
        _ATTACHMENTS,
    ),
    Bug(
        "transactions: a conflict is not waited for",
        f"{_AWS}/tables.py",
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
