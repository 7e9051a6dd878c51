"""The process that is measured: import one built function, invoke it once, and print its answer.

    python3.13 -I -S -B child.py FUNCTION LAYER... <event.json

It imports as little as possible that a function would not import itself.
"""

import json
import resource
import sys
from typing import Any

function, *layers = sys.argv[1:]
# Lambda's order: the function first, then the layers.
sys.path[:0] = [function, *layers]
# valgrind cannot run within the memory limit that the rendering child sets for itself.
resource.setrlimit = lambda *_: None

from app import handler  # type: ignore[import-not-found]  # noqa: E402


class Context:
    """The parts of Lambda's context that the functions use."""

    function_name = function.rpartition("/")[2]
    function_version = "$LATEST"
    memory_limit_in_mb = "1024"
    aws_request_id = "52fdfc07-2182-454f-963f-5f0f9a621d72"
    invoked_function_arn = f"arn:aws:lambda:us-east-1:123456789012:function:{function_name}"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 60_000


outcome: dict[str, Any]
try:
    outcome = {"answer": handler(json.load(sys.stdin), Context)}
except Exception as error:  # Lambda reports whatever a handler raises
    outcome = {"error": str(error)}
print(json.dumps(outcome))
