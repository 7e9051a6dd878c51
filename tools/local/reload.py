"""Apply changes of the template to a running stack: its functions and its API.

Tables, buckets, queues and event sources are made once. If they change, the console says that `make up` must be
restarted.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

from tools.local import console
from tools.local.addresses import Addresses
from tools.local.event_sources import notifications_of, schedules_of, sources_of
from tools.local.gateway import Gateway
from tools.local.resources import media_headers
from tools.local.runner import Runner
from tools.template import BUCKET, QUEUE, TABLE, Template


class LiveGateway:
    """The API as the template has it now."""

    def __init__(
        self,
        read: Callable[[], Template],
        runner: Runner,
        addresses: Addresses,
        changed: Callable[[], object],
    ) -> None:
        """Take what reads the template, and what is called after each change of it."""
        self._read = read
        self._runner = runner
        self._addresses = addresses
        self._changed = changed
        self.template = read()
        self._started = _made_once(self.template)
        self._files = _files(self.template.path.parent)
        self._gateway = Gateway(self.template, runner)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._gateway(environ, start_response)

    def check(self) -> None:
        """Apply the template if a file of it was saved. If it is invalid, keep the last one."""
        if (files := _files(self.template.path.parent)) == self._files:
            return
        self._files = files
        try:
            template = self._read()
            functions = self._addresses.functions(template)
            gateway, made_once = Gateway(template, self._runner), _made_once(template)
        except Exception as error:  # whatever a half-written template raises
            console.say(
                f"The template is invalid, and the stack runs with the last one: {error or type(error).__name__}"
            )
            return
        before, routes = self._runner.functions, set(self.template.routes) ^ set(template.routes)
        restarted = [name for name in functions.keys() | before.keys() if functions.get(name) != before.get(name)]
        self._runner.functions, self._gateway, self.template = functions, gateway, template
        self._changed()
        named = sorted([*restarted, *(f"{route.method} {route.path}" for route in routes)])
        console.say(f"The template changed: applied to {', '.join(named) or 'the API'}")
        if needed := sorted(
            name for name in made_once.keys() | self._started.keys() if made_once.get(name) != self._started.get(name)
        ):
            console.say(f"Stop and start `make up` to change {', '.join(needed)}")


def _files(folder: Path) -> frozenset[tuple[Path, int, int]]:
    """Return a value that is another one after one of the template's files was saved."""
    found = [(path, path.stat()) for path in folder.glob("*.yaml")]
    return frozenset((path, status.st_mtime_ns, status.st_size) for path, status in found)


def _made_once(template: Template) -> dict[str, object]:
    """Return what is made when the stack starts, by the name that the developer knows it by."""
    return {
        **{found.logical_id: found for type_ in (TABLE, BUCKET, QUEUE) for found in template.of_type(type_)},
        **{f"{found.source} → {found.function}": found for found in sources_of(template)},
        **{found.id: found for found in notifications_of(template)},
        **{f"the schedule of {found.function}": found for found in schedules_of(template)},
        **{
            f"{name}.EventInvokeConfig": body.properties.get("EventInvokeConfig")
            for name, body in template.functions.items()
        },
        "the headers of pictures": media_headers(template),
    }
