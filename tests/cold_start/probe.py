"""Start one function in its own interpreter, invoke it, and print what it has imported before its first call to AWS.

    python -I -S tests/cold_start/probe.py FOLDER... <event.json

Writes one line of JSON: each module, and the size of its bytecode, or 0 for a module without bytecode.
"""

import marshal
import os
import socket
import sys
from typing import Any, NoReturn

sys.path[:0] = sys.argv[1:]
BEFORE = frozenset(sys.modules)


def tell(*_: object) -> NoReturn:
    """Print the imports and end the process."""
    import json  # every function has imported it by now

    modules = {name: module for name, module in sys.modules.items() if name not in BEFORE and name != "app"}
    sys.__stdout__.write("\n" + json.dumps({name: size(name, module) for name, module in modules.items()}))  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]
    os._exit(0)


def size(name: str, module: Any) -> int:
    """Return the size of a module's bytecode."""
    loader: Any = getattr(getattr(module, "__spec__", None), "loader", None)
    code = loader.get_code(loader.name) if hasattr(loader, "path") and loader.path.endswith(".py") else None
    return len(marshal.dumps(code)) if code else 0


socket.socket.connect = tell  # type: ignore[method-assign]
import json  # noqa: E402

from app import handler  # type: ignore[import-not-found]  # noqa: E402


class Context:
    """The parts of Lambda's context that functions use."""

    function_name = "probed"
    aws_request_id = "52fdfc07-2182-454f-963f-5f0f9a621d72"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:it"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Return a minute."""
        return 60_000


try:
    handler(json.load(sys.stdin), Context)
except Exception as error:  # authorize refuses the sample's token
    if str(error) != "Unauthorized":
        raise
tell()
