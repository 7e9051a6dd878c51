"""Starts the whole stack on 127.0.0.1 and stops it again, with everything in one process tree.

    python -m tools.local --params "PurgeDelaySeconds=2 PendingTtlSeconds=5" --ports 4000

It ends by Ctrl-C, by SIGTERM, and with the process that started it. State is in memory and gone with it; what stays are
the logs, in `.local/logs`.
"""

import argparse
import logging
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.local import aws
from tools.local.browser import send
from tools.local.issuer import AUDIENCE, PEOPLE, Issuer, Wish
from tools.local.pumps import Pumps
from tools.local.resources import create_all, media_headers
from tools.local.runner import Runner, functions_of
from tools.local.s3_edge import create_app
from tools.local.serving import HOST, listen, port_of, serve
from tools.local.site import Site
from tools.local.state import StackRunning, claimed, remove_stale_state, remove_state, write_state
from tools.template import BUCKET, FUNCTION, QUEUE, TABLE, Template, TemplateInvalid, read

TEMPLATE = Path("template.yaml")
STATE = Path(".local")
PORTS = {"api": 3000, "page": 3001, "edge": 3002, "issuer": 3003, "aws": 3004}
"""Where each part is, if its port is free."""

LAST_PORT = 65535

START_SECONDS = 60
"""For moto to answer; it takes two on an idle machine."""

WATCH_SECONDS = 0.5
"""Between two looks at whether everything is still wanted and still there."""


class StartFailed(Exception):
    """The stack cannot be started; says why."""


@dataclass(frozen=True)
class Options:
    """What the command line chose."""

    template: Path = TEMPLATE
    state: Path = STATE
    ports: dict[str, int] = field(default_factory=lambda: dict(PORTS))
    parameters: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Addresses:
    """Base URLs of the parts, none of which ends in a slash."""

    api: str
    page: str
    edge: str
    issuer: str
    aws: str

    @property
    def local_parameters(self) -> dict[str, str]:
        """Template parameters that mean this machine; `--params` may say otherwise."""
        return {
            "TokenIssuer": self.issuer,
            "TokenAudience": AUDIENCE,
            "TokenJwksUrl": f"{self.issuer}/.well-known/jwks.json",
            "AllowedOrigins": f"{self.page},{self.page.replace(HOST, 'localhost')}",
            "MediaBaseUrl": self.edge,
            # Long enough to see a replaced picture still there, short enough to see it go.
            "PurgeDelaySeconds": "10",
        }

    @property
    def added_variables(self) -> dict[str, str]:
        """What functions get besides the template's variables: AWS is here, and so is the issuer, over http."""
        return {
            "AWS_ENDPOINT_URL": self.aws,
            "AWS_ACCESS_KEY_ID": aws.CREDENTIALS["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": aws.CREDENTIALS["secret_access_key"],
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "JWKS_ALLOW_LOOPBACK": "true",
        }

    def replaced_variables(self, uploads_bucket: str) -> dict[str, str]:
        """What functions get instead of the template's, where the template has it: browsers post to the edge."""
        return {"UPLOADS_URL": f"{self.edge}/{uploads_bucket}"}


def parse_arguments(arguments: list[str]) -> Options:
    """The options; ends the process over what it cannot read, as command lines do."""
    parser = argparse.ArgumentParser(prog="make up", description=__doc__)
    parser.add_argument("--template", type=Path, default=TEMPLATE)
    parser.add_argument("--state", type=Path, default=STATE, help="where stack.json and the logs go")
    parser.add_argument("--params", default="", help="template parameters: Name=value …")
    parser.add_argument("--ports", default="", help="the first of five ports, or api=… page=… edge=… issuer=… aws=…")
    chosen = parser.parse_args(arguments)
    try:
        return Options(chosen.template, chosen.state, _ports(chosen.ports), _parameters(chosen.params))
    except ValueError as error:
        parser.error(str(error))


def _parameters(text: str) -> dict[str, str]:
    chosen = _pairs(text)
    if not chosen.get("AllowedOrigins", "any"):
        raise ValueError("AllowedOrigins is empty, and a bucket's CORS rule wants at least one origin")
    return chosen


def _pairs(text: str) -> dict[str, str]:
    pairs = [word.partition("=") for word in shlex.split(text)]
    if wrong := next((name for name, sign, _ in pairs if not sign), None):
        raise ValueError(f"{wrong} is not Name=value")
    return {name: value for name, _, value in pairs}


def _ports(text: str) -> dict[str, int]:
    """Numbers by part; 0 means any."""
    if text.isdecimal():
        first = int(text)
        return _in_range({name: first + index if first else 0 for index, name in enumerate(PORTS)})
    chosen = {name: int(port) for name, port in _pairs(text).items()}
    if unknown := chosen.keys() - PORTS.keys():
        raise ValueError(f"there is no port called {', '.join(unknown)}")
    return _in_range({**PORTS, **chosen})


def _in_range(ports: dict[str, int]) -> dict[str, int]:
    if wrong := [f"{name}={port}" for name, port in ports.items() if not 0 <= port <= LAST_PORT]:
        raise ValueError(f"ports end at {LAST_PORT}: {', '.join(wrong)}")
    return ports


@contextmanager
def running(options: Options) -> Iterator[dict[str, Any]]:
    """The stack, started; gives what is in stack.json, and stops everything at the end."""
    logs = options.state / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    with ExitStack() as cleanup:
        cleanup.enter_context(claimed(options.state))
        remove_stale_state(options.state)
        listeners = {name: cleanup.enter_context(listen(port)) for name, port in options.ports.items()}
        ports = {name: port_of(listener) for name, listener in listeners.items()}
        addresses = Addresses(**{name: f"http://{HOST}:{port}" for name, port in ports.items()})
        moto = aws.start(listeners["aws"], logs / "aws.log")
        cleanup.callback(moto.wait)
        cleanup.callback(moto.kill)
        template = read(options.template, options.parameters, addresses.aws, aws.REGION, addresses.local_parameters)
        uploads, media = (template.name(bucket) for bucket in ("UploadsBucket", "MediaBucket"))
        functions = functions_of(template, addresses.added_variables, addresses.replaced_variables(uploads))
        runner = Runner(functions, logs)
        cleanup.callback(runner.stop)
        gateway = _gateway(template, runner, ports["api"])
        _wait_for(moto.poll, addresses.aws)
        create_all(template)
        issuer = Issuer(addresses.issuer, template.parameters.get("TenantClaim", ""))
        edge = create_app(
            s3=aws.client("s3", addresses.aws),
            uploads_bucket=uploads,
            media_bucket=media,
            credentials={aws.CREDENTIALS["access_key_id"]: aws.CREDENTIALS["secret_access_key"]},
            region=aws.REGION,
            public_url=addresses.edge,
            media_headers=media_headers(template),
        )
        site = Site(lambda: _for_the_page(addresses, issuer))
        for name, app in {"api": gateway, "page": site, "edge": edge, "issuer": issuer}.items():
            server = serve(app, listeners[name], name)
            cleanup.callback(server.server_close)
            cleanup.callback(server.shutdown)
        pumps = Pumps(template, runner)
        # Without its AWS no pump goes on waiting for it.
        cleanup.callback(moto.kill)
        cleanup.callback(pumps.stop)
        pumps.start()
        state = _describe(template, addresses, issuer)
        write_state(options.state, state)
        cleanup.callback(remove_state, options.state)
        yield state


def _gateway(template: Template, runner: Runner, port: int) -> Any:
    from tools.local.gateway import Gateway  # noqa: PLC0415 - SAM CLI takes seconds to import, while moto starts

    return Gateway(template, runner, port).application


def _wait_for(exit_status: Callable[[], int | None], endpoint: str) -> None:
    """Until moto answers; raises StartFailed if it ends or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if exit_status() is not None:
            raise StartFailed("the local AWS did not start: see aws.log")
        try:
            send("GET", f"{endpoint}/moto-api/data.json")
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise StartFailed(f"the local AWS did not answer within {START_SECONDS} seconds: see aws.log")


def _describe(template: Template, addresses: Addresses, issuer: Issuer) -> dict[str, Any]:
    """What stack.json says."""

    def names(type_: str) -> dict[str, str]:
        return {found.logical_id: template.name(found.logical_id) for found in template.of_type(type_)}

    return {
        "api": addresses.api,
        "page": addresses.page,
        "uploads": f"{addresses.edge}/{template.name('UploadsBucket')}",
        "media": addresses.edge,
        "issuer": addresses.issuer,
        "aws_endpoint": addresses.aws,
        "region": aws.REGION,
        "credentials": aws.CREDENTIALS,
        "buckets": names(BUCKET),
        "tables": names(TABLE),
        "queues": {name: template.queue_url(name) for name in names(QUEUE)},
        "functions": names(FUNCTION),
        "parameters": template.parameters,
        "users": _users(issuer),
    }


def _for_the_page(addresses: Addresses, issuer: Issuer) -> dict[str, Any]:
    return {"api": addresses.api, "users": _users(issuer)}


def _users(issuer: Issuer) -> dict[str, Any]:
    return {
        name: {"user_id": person.user_id, "name": person.name, "token": issuer.mint(Wish(name))}
        for name, person in PEOPLE.items()
    }


def _announce(state: dict[str, Any], folder: Path, seconds: float) -> None:
    token = state["users"]["ada"]["token"]
    print(
        f"""
The stack is up, after {seconds:.1f} seconds. Ctrl-C ends it.

  page    {state["page"]}
  API     {state["api"]}
  S3      {state["uploads"]}
  AWS     {state["aws_endpoint"]}    (everything behind: see {folder / "stack.json"}, logs in {folder / "logs"})

A token of Ada's, for eight hours (`make token USER=grace` mints others):

{token}

Her profile:

curl -sS -H 'Authorization: Bearer {token}' {state["api"]}/media/profile
""",
        flush=True,
    )


def main(arguments: list[str]) -> int:
    """Runs the stack until a signal, or until whoever started it is gone; exit status 1 if it could not start."""
    options = parse_arguments(arguments)
    began = time.monotonic()
    ending = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: ending.set())
    (options.state / "logs").mkdir(parents=True, exist_ok=True)
    # SAM CLI warns of its emulated authorizers at every start, and reports each 401 as an error.
    logging.getLogger("samcli").setLevel(logging.CRITICAL)
    logging.basicConfig(
        filename=options.state / "logs" / "stack.log", format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    parent = os.getppid()
    try:
        with running(options) as state:
            _announce(state, options.state, time.monotonic() - began)
            while not ending.wait(WATCH_SECONDS) and os.getppid() == parent:
                pass
    except (StackRunning, StartFailed, TemplateInvalid, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0
