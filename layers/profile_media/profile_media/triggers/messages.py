"""Partial batches of SQS messages, with Powertools' batch processor.

Only the function that reads the delete queue imports this module: the batch processor costs a cold start more than the
rest of Powertools together (docs/decisions/0027).
"""

from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from profile_media.telemetry import logger
from profile_media.triggers.records import Failures, failures


def each_message(event: Mapping[str, Any], handle: Callable[[str], None]) -> Failures:
    """Pass each message's body to `handle`. Report the messages that failed, so that only those come again."""

    def handle_record(record: SQSRecord) -> None:
        try:
            handle(record.body)
        except Exception:
            logger.exception("Message failed and will be delivered again", message_id=record.message_id)
            raise

    if not event.get("Records"):  # the batch processor raises an error for an empty batch
        return failures(())
    # If all messages of a batch fail, they are reported in the same way and no error is raised: the alarms on the
    # dead-letter queue and on the age of the oldest message show it.
    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(dict(event), handle_record, processor)
