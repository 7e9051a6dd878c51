"""The figures that other tests take from the code: changed by themselves, they would fail none of those."""

from datetime import timedelta
from types import ModuleType

import pytest

from profile_media.aws import objects, purge_queue, session, viewing
from profile_media.dialects.native import showing
from profile_media.domain import bind, intend, keys, policy, reconcile, references
from profile_media.domain.model import ContentType
from profile_media.http import cors, json_body, jwks, multipart, tokens
from profile_media.imaging import render

FIGURES: list[tuple[ModuleType, str, object]] = [
    (policy, "SMALLEST_UPLOAD", 1),
    (policy, "MAX_OWNER_BYTES", 255),
    (policy, "MAX_DIRECT_BYTES", 4_194_304),
    (policy, "MIN_SIDE", 16),
    (policy, "MAX_SIDE", 12_000),
    (policy, "MAX_PIXELS", dict.fromkeys(ContentType, 25_000_000) | {ContentType.JPEG: 50_000_000}),
    (policy, "MAX_JPEG_SCANS", 64),
    (policy, "MAX_JPEG_SEGMENTS", 4096),
    (policy, "MAX_JPEG_PADDING", 65_536),
    (policy, "MAX_PNG_CHUNKS", 65_536),
    (policy, "MASTER_SIDE", 2048),
    (policy, "MASTER_QUALITY", 90),
    (policy, "WEBP_QUALITY", 80),
    (references, "MAX_URL_LENGTH", 2048),
    (bind, "ATTEMPTS", 4),
    (intend, "ATTEMPTS", 4),
    (intend, "WINDOW", timedelta(hours=1)),
    (intend, "RENEWAL", timedelta(minutes=1)),
    (reconcile, "WINDOW", 50_000),
    (reconcile, "MOST_SUSPECTS", 1000),
    (reconcile, "SUSPECTS_A_PAGE", 100),
    (reconcile, "RESERVE", timedelta(seconds=45)),
    (reconcile, "CHECKPOINT_KEPT", timedelta(days=30)),
    (session, "CONNECT_TIMEOUT", 2),
    (session, "READ_TIMEOUT", 5),
    (session, "ATTEMPTS", 3),
    (viewing, "LIFETIME", 900),
    (objects, "STORES", 5),
    (purge_queue, "BATCH", 10),
    (showing, "LONGEST_WAIT", 20),
    (cors, "MAX_AGE", 7200),
    (json_body, "MAX_BYTES", 16_384),
    (json_body, "MAX_DEPTH", 8),
    (multipart, "MAX_PARTS", 4),
    (multipart, "MAX_HEADERS", 8),
    (multipart, "MAX_HEADER_BYTES", 4096),
    (multipart, "MAX_OTHER_BYTES", 65_536),
    (jwks, "MAX_BYTES", 65_536),
    (jwks, "FETCH_SECONDS", 2.0),
    (jwks, "FRESH_SECONDS", 600),
    (jwks, "STALE_SECONDS", 3600),
    (jwks, "COOLDOWN_SECONDS", 30),
    (jwks, "RETRY_SECONDS", 1),
    (tokens, "LEEWAY_SECONDS", 30),
    (tokens, "MAX_TOKEN", 8192),
    (tokens, "MAX_SUBJECT", 255),
    (render, "_MASTER_SLACK", 0.9),
    (render, "_DECODED_DENSITY", 1.25),
    (render, "_DENSITY", 1.6),
    (render, "_SPARSE_QUALITY", 1),
    (render, "_MASTER_DENSITY", 2.0),
    (keys, "INCOMING_PREFIX", "incoming/"),
    (keys, "MEDIA_PREFIX", "media/"),
]


@pytest.mark.parametrize(("module", "name", "value"), FIGURES, ids=lambda value: getattr(value, "__name__", None))
def test_a_figure_is_what_was_decided(module: ModuleType, name: str, value: object) -> None:
    assert getattr(module, name) == value


def test_sizes_are_those_the_contracts_show() -> None:
    made = {
        slot.value: [(size.name, size.width, size.height) for size in sizes] for slot, sizes in policy.SIZES.items()
    }
    assert made == {
        "avatar": [("full", 512, 512), ("thumb", 256, 256), ("small", 128, 128), ("icon", 64, 64)],
        "cover_image": [("full", 1500, 500), ("small", 750, 250)],
    }
