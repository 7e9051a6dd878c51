"""`make events` and `make invoke` find a function by its folder or its logical id."""

from pathlib import Path

import pytest

from tools.local.events import FunctionUnknown, find
from tools.local.runner import Function

BIND = Function("BindAvatarFunction", "app.handler", Path("functions/bind_avatar"), {})
PURGE = Function("PurgeMediaFunction", "app.handler", Path("functions/purge_media"), {})


def test_function_is_found_by_folder_and_by_logical_id() -> None:
    functions = {function.name: function for function in (PURGE, BIND)}
    assert [find(functions, name) for name in ("bind_avatar", "BindAvatarFunction")] == [BIND, BIND]
    with pytest.raises(FunctionUnknown, match="no function bind; the functions are bind_avatar, purge_media"):
        find(functions, "bind")
