"""The `Clock` port: the system's time."""

import time
from datetime import datetime

from profile_media.domain.model import utc_now


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present time in UTC, truncated to milliseconds."""
        return utc_now()

    def wait(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)
