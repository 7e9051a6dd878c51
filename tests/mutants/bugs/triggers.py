"""Bugs in what events set off."""

from tests.mutants.workbench import Bug

_RECORDS = "layers/profile_media/profile_media/triggers/records.py"
_EVENTS = ("tests/functions/test_events.py",)

BUGS = (
    Bug(
        "release: rows that were written release as well",
        _RECORDS,
        'if record["eventName"] == "REMOVE" and is_upload_id(upload_id):',
        "if is_upload_id(upload_id):",
        _EVENTS,
    ),
    Bug(
        "release: rows that are no uploads release as well",
        _RECORDS,
        'if record["eventName"] == "REMOVE" and is_upload_id(upload_id):',
        'if record["eventName"] == "REMOVE":',
        _EVENTS,
    ),
    Bug(
        "release: uploads that the queue refused are lost",
        "functions/release_media/app.py",
        "    return failures(releasing.release(removed_uploads(event)))\n",
        "    releasing.release(removed_uploads(event))\n    return failures(())\n",
        ("tests/functions/test_counting.py",),
    ),
    Bug(
        "release: by the functions that bind, without the stream",
        "layers/profile_media/profile_media/wiring/releasing.py",
        "    refused = _queue().purge_later(list(removed.values()))\n",
        "    refused: list[Removed] = []\n",
        _EVENTS,
    ),
    Bug(
        "purge: messages that failed are lost",
        _RECORDS,
        '            failed.append(record["messageId"])\n',
        "",
        _EVENTS,
    ),
    Bug(
        "purge: one message that fails takes the others along",
        _RECORDS,
        "        except Exception:\n",
        "        except ImportError:\n",
        _EVENTS,
    ),
    Bug(
        "purge: the id is cut out of text",
        "layers/profile_media/profile_media/aws/purge_queue.py",
        "            return Removed(owner_id, upload_id)\n",
        '            return Removed(owner_id, upload_id.rpartition("/")[2][:-1])\n',
        _EVENTS,
    ),
    Bug(
        "process: keys are not decoded",
        _RECORDS,
        "from urllib.parse import unquote_plus\n",
        "unquote_plus = str\n",
        _EVENTS,
    ),
    Bug(
        "process: objects of any bucket",
        "layers/profile_media/profile_media/wiring/processing.py",
        "if bucket != settings.load(settings.Processing).uploads_bucket or owned is None:",
        "if owned is None:",
        _EVENTS,
    ),
    Bug(
        "log: the event, whole",
        "layers/profile_media/profile_media/http/endpoint.py",
        '        logger.info("the token expired after it was let in")\n',
        '        logger.info("the token expired after it was let in", event=event)\n',
        ("tests/logs/test_injection.py::test_no_request_can_forge_or_flood_a_record[put_user]",),
    ),
    Bug(
        "log: line ends as they came",
        "layers/profile_media/profile_media/telemetry.py",
        "ensure_ascii=True)",
        "ensure_ascii=False)",
        ("tests/unit/http/test_endpoint.py",),
    ),
)
