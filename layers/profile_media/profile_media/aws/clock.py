"""Time, as it is: the `Clock` port."""

import time
from datetime import datetime

from profile_media.domain.model import utc_now


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present, UTC, to the millisecond."""
        return utc_now()

    def wait(self, seconds: float) -> None:
        """Sleeps."""
        time.sleep(seconds)
