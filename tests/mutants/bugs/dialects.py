"""Bugs in what contracts promise, and in the functions that keep them."""

from tests.mutants.workbench import Bug

_DIALECTS = "layers/profile_media/profile_media/dialects"
_BIND = ("tests/functions/test_bind.py",)
_AVATAR_URL = ("tests/unit/dialects/test_avatar_url.py",)
_UPLOAD_ID = ("tests/functions/test_update_profile_picture.py",)
_SDK = ("tests/functions/test_sdk_image.py",)

BUGS = (
    Bug(
        "public_id: who asks learns what is wrong",
        f"{_DIALECTS}/public_id.py",
        'return {"success": False, "message": INVALID if invalid else describe(error)}',
        'return {"success": False, "message": describe(error)}',
        _BIND,
    ),
    Bug(
        "public_id: another status for what is not there",
        f"{_DIALECTS}/public_id.py",
        "    ErrorCode.UPLOAD_NOT_FOUND,\n",
        "",
        _BIND,
    ),
    Bug(
        "public_id: the other slot is left out",
        f"{_DIALECTS}/public_id.py",
        '        "coverImage": _picture(profile, Slot.COVER_IMAGE, links),\n',
        '        "coverImage": None,\n',
        ("tests/unit/dialects/test_public_id.py",),
    ),
    Bug(
        "public_id: the id that was sent is shown",
        f"{_DIALECTS}/public_id.py",
        '"publicId": links.bound_public_id(profile.user_id, slot, upload_id) if upload_id else None,',
        '"publicId": links.bound_public_id(profile.user_id, slot, upload_id)[1:] if upload_id else None,',
        _BIND,
    ),
    Bug(
        "public_id: the cover image goes into the avatar",
        "functions/bind_cover_image/app.py",
        "Slot.COVER_IMAGE, reference",
        "Slot.AVATAR, reference",
        _BIND,
    ),
    Bug(
        "avatar_url: a picture on any host",
        f"{_DIALECTS}/avatar_url.py",
        '        raise ReferenceInvalid("a host that is not on the list")\n',
        "        pass\n",
        _AVATAR_URL,
    ),
    Bug(
        "avatar_url: a host that starts like one on the list",
        f"{_DIALECTS}/avatar_url.py",
        'f"{url}/".startswith(f"https://{host}/")',
        'url.startswith(f"https://{host}")',
        _AVATAR_URL,
    ),
    Bug(
        "avatar_url: another answer than what was sent",
        f"{_DIALECTS}/avatar_url.py",
        '"data": {"avatarUrl": url}',
        '"data": {"avatarUrl": url.lower()}',
        _AVATAR_URL,
    ),
    Bug(
        "upload_id: a body that says nothing removes the picture",
        f"{_DIALECTS}/upload_id.py",
        '    if "uploadId" not in body:\n        raise RequestInvalid((MISSING,))\n    upload_id = body["uploadId"]\n',
        '    upload_id = body.get("uploadId")\n',
        _UPLOAD_ID,
    ),
    Bug(
        "upload_id: another status for what is wrong",
        f"{_DIALECTS}/upload_id.py",
        "_UNFIT = (ErrorCode.REQUEST_INVALID, ErrorCode.UPLOAD_REJECTED, ErrorCode.SLOT_MISMATCH)",
        "_UNFIT = (ErrorCode.UPLOAD_REJECTED, ErrorCode.SLOT_MISMATCH)",
        _UPLOAD_ID,
    ),
    Bug(
        "upload_id: the provider's picture passes for one's own",
        f"{_DIALECTS}/upload_id.py",
        '"hasCustomProfilePicture": profile.has_picture(Slot.AVATAR),',
        '"hasCustomProfilePicture": picture_url is not None,',
        _UPLOAD_ID,
    ),
    Bug(
        "upload_id: anybody is the owner",
        "functions/update_profile_picture/app.py",
        "owner_id = people.find(request.caller, parse_user_id(request)).user_id",
        "owner_id = parse_user_id(request)",
        _UPLOAD_ID,
    ),
    Bug(
        "upload_id: a plain URL instead of a link",
        "layers/profile_media/profile_media/wiring/viewing.py",
        "if not isinstance(held, Attachment):",
        "if held is not None:",
        _UPLOAD_ID,
    ),
    Bug(
        "upload_id: the largest instead of the thumbnail",
        "layers/profile_media/profile_media/wiring/viewing.py",
        "if each.name == THUMBNAIL",
        "if each.name",
        _UPLOAD_ID,
    ),
    Bug(
        "sdk_image: times in seconds",
        f"{_DIALECTS}/sdk_image/showing.py",
        "round(moment.timestamp() * 1000)",
        "round(moment.timestamp())",
        ("tests/unit/dialects/test_sdk_image.py",),
    ),
    Bug(
        "sdk_image: anybody writes users",
        "layers/profile_media/profile_media/wiring/people.py",
        "    if not caller.is_admin:\n        raise OwnerForbidden\n",
        "",
        _SDK,
    ),
    Bug(
        "sdk_image: anybody removes pictures",
        "functions/delete_profile_image/app.py",
        "    user = people.find(request.caller, parse_user_id(request))\n"
        "    profile = attachments.unbind(request.caller, Slot.AVATAR, user.user_id)\n",
        "    profile = attachments.unbind(request.caller, Slot.AVATAR, parse_user_id(request))\n",
        _SDK,
    ),
    Bug(
        "sdk_image: the path is not decoded",
        "layers/profile_media/profile_media/http/user_id.py",
        'user_id = unquote(request.path["user_id"], errors="strict")',
        'user_id = unquote(request.path["user_id"][:0]) + request.path["user_id"]',
        ("tests/unit/dialects/test_sdk_image.py", "tests/unit/dialects/test_upload_id.py"),
    ),
    Bug(
        "form_file: a broken picture is a 422",
        f"{_DIALECTS}/form_file.py",
        "MappingProxyType({ErrorCode.IMAGE_UNACCEPTABLE: HTTPStatus.BAD_REQUEST})",
        "MappingProxyType({})",
        ("tests/functions/test_upload_user_image.py",),
    ),
    Bug(
        "form_file: the old picture's URL",
        "functions/upload_user_image/app.py",
        "    people.recognise(request.caller)\n"
        "    return form_file.render(ingesting.ingest(request.caller, Slot.AVATAR, content), ingesting.links())\n",
        "    profile = people.recognise(request.caller)\n"
        "    ingesting.ingest(request.caller, Slot.AVATAR, content)\n"
        "    return form_file.render(profile, ingesting.links())\n",
        ("tests/functions/test_upload_user_image.py",),
    ),
    Bug(
        "native: anybody asks for others' uploads",
        f"{_DIALECTS}/native/intents.py",
        "if body.owner and body.owner.user_id != request.caller.user_id and not request.caller.is_admin:",
        "if body.owner and not body.owner.user_id:",
        ("tests/functions/test_create_upload_intent.py",),
    ),
    Bug(
        "native: an administrator asks for another tenant's user",
        "layers/profile_media/profile_media/wiring/intents.py",
        "        check_tenant(caller, _profiles().get(request.owner_id))\n",
        "        pass\n",
        ("tests/functions/test_create_upload_intent.py",),
    ),
    Bug(
        "native: every slot is the avatar",
        f"{_DIALECTS}/native/intents.py",
        "slot=SLOTS[body.slot],",
        'slot=SLOTS["avatar"],',
        ("tests/functions/test_choices.py",),
    ),
    Bug(
        "native: a wait without end",
        f"{_DIALECTS}/native/showing.py",
        "LONGEST_WAIT = 20\n",
        "LONGEST_WAIT = 60\n",
        ("tests/functions/test_get_upload.py", "tests/openapi/test_document.py"),
    ),
    Bug(
        "audit: nobody is on record",
        "layers/profile_media/profile_media/wiring/attachments.py",
        "    audit_bind(slot, owner_id, caller.user_id, bound.profile.bound_to(slot), bound.superseded)\n",
        "",
        _BIND,
    ),
    Bug(
        "audit: the owner in the actor's place",
        "layers/profile_media/profile_media/wiring/attachments.py",
        "audit_bind(slot, owner_id, caller.user_id, ",
        "audit_bind(slot, owner_id, owner_id, ",
        _SDK,
    ),
)
