"""What is said of every picture that was processed, however it came in."""

from profile_media.domain.process import Outcome, Processed
from profile_media.telemetry import count, logger


def report(owner_id: str, processed: Processed, upload_id: str | None = None) -> None:
    """One line per picture, and a count of how it ended."""
    upload, rendered, cost = processed.upload, processed.rendered, processed.cost
    reason = upload.reason.value if upload and upload.reason else None
    logger.info(
        "upload processed",
        owner=owner_id,
        upload_id=upload.upload_id if upload else upload_id,
        outcome=processed.outcome.value,
        reason=reason,
        detail=processed.detail,
        sha256=processed.digest,
        content_type=upload.content_type.value if upload else None,
        width=rendered.width if rendered else None,
        height=rendered.height if rendered else None,
        cpu_ms=cost.cpu_ms if cost else None,
        peak_mib=cost.peak_mib if cost else None,
    )
    count(f"Uploads{processed.outcome.value.capitalize()}")
    if processed.outcome is Outcome.REJECTED and reason:
        count("Rejected" + "".join(word.capitalize() for word in reason.split("_")))
