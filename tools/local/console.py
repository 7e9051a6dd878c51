"""Lines that the running stack prints on its console."""

import time
from contextlib import suppress


def say(message: str) -> None:
    """Print a message with the time. Do nothing if nobody reads the console any more."""
    with suppress(OSError):
        print(f"{time.strftime('%H:%M:%S')}  {message}", flush=True)
