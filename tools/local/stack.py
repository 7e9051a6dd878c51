"""Start the local stack on 127.0.0.1 and stop it again.

It stops on Ctrl-C and SIGTERM, and when the process that started it ends. All data is in memory and is lost then; the
logs stay in `.local/logs`.
"""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication

from tools.local import aws
from tools.local.browser import send
from tools.local.gateway import Gateway
from tools.local.imitations import IMITATIONS
from tools.local.issuer import AUDIENCE, PEOPLE, Issuer, TokenRequest
from tools.local.options import STATE, Options, parse_arguments
from tools.local.pumps import Pumps
from tools.local.resources import create_all, media_headers
from tools.local.runner import Runner, functions_of
from tools.local.s3_edge import create_app
from tools.local.serving import HOST, listen, port_of, serve
from tools.local.site import Site
from tools.local.state import StackRunning, locked, remove_stale_state, remove_state, write_state
from tools.template import BUCKET, FUNCTION, QUEUE, TABLE, Template, TemplateInvalid, read

START_SECONDS = 300
"""moto starts within two seconds on an idle machine."""

WATCH_SECONDS = 0.5
"""Interval of the check whether the parent process still runs."""


class StartFailed(Exception):
    """The stack cannot start."""


@dataclass(frozen=True)
class Addresses:
    """Base URLs of the parts, without a slash at the end."""

    api: str
    page: str
    edge: str
    issuer: str
    aws: str

    def local_parameters(self, provider: str = "custom") -> dict[str, str]:
        """Return template parameters for this machine, with the issuer that is imitated. `--params` overrides them."""
        imitation = IMITATIONS.get(provider)
        return {
            "TokenIssuer": imitation.issuer if imitation else self.issuer,
            "TokenAudience": imitation.audience if imitation else AUDIENCE,
            "TokenJwksUrl": f"{self.issuer}/.well-known/jwks.json",
            "AllowedOrigins": f"{self.page},{self.page.replace(HOST, 'localhost')}",
            "MediaBaseUrl": self.edge,
            # Long enough to see that a replaced picture is still served, short enough to see its deletion.
            "PurgeDelaySeconds": "10",
            "AccountConcurrency": "1000",  # polls may wait for seconds
        }

    @property
    def added_variables(self) -> dict[str, str]:
        """Environment variables of all functions, besides the template's."""
        return {
            "AWS_ENDPOINT_URL": self.aws,
            "AWS_ACCESS_KEY_ID": aws.CREDENTIALS["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": aws.CREDENTIALS["secret_access_key"],
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "JWKS_ALLOW_LOOPBACK": "true",
        }

    def replaced_variables(self, uploads_bucket: str) -> dict[str, str | None]:
        """Values that replace the template's; None removes the variable."""
        return {
            "UPLOADS_URL": f"{self.edge}/{uploads_bucket}",
            # The file is in a layer, and the local AWS has no TLS.
            "AWS_CA_BUNDLE": None,
        }


@contextmanager
def running(options: Options) -> Iterator[dict[str, Any]]:
    """Start the stack, yield the content of stack.json, and stop the stack at the end."""
    logs = options.state / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    with ExitStack() as cleanup:
        cleanup.enter_context(locked(options.state))
        remove_stale_state(options.state)
        listeners = {name: cleanup.enter_context(listen(port)) for name, port in options.ports.items()}
        addresses = Addresses(**{name: f"http://{HOST}:{port_of(found)}" for name, found in listeners.items()})
        moto = aws.start(listeners["aws"], logs / "aws.log")
        cleanup.callback(moto.wait)
        cleanup.callback(moto.kill)
        local = addresses.local_parameters(options.parameters.get("IdentityProvider", "custom"))
        template = read(options.template, options.parameters, addresses.aws, aws.REGION, local)
        variables = addresses.replaced_variables(template.name("UploadsBucket"))
        runner = Runner(functions_of(template, addresses.added_variables, variables), logs)
        cleanup.callback(runner.stop)
        _wait_for_moto(moto.poll, addresses.aws)
        create_all(template)
        issuer = _issuer(addresses.issuer, template.parameters)
        for name, app in _apps(template, runner, addresses, issuer).items():
            server = serve(app, listeners[name])
            cleanup.callback(server.server_close)
            cleanup.callback(server.shutdown)
        pumps = Pumps(template, runner)
        # Stop moto before the pumps: a pump in a long poll then ends at once.
        cleanup.callback(moto.kill)
        cleanup.callback(pumps.stop)
        pumps.start()
        state = _describe(template, addresses, issuer)
        write_state(options.state, state)
        cleanup.callback(remove_state, options.state)
        yield state


def _issuer(url: str, parameters: Mapping[str, str]) -> Issuer:
    """Return an issuer whose tokens the stack accepts."""
    names = ("TenantClaim", "IdentityProvider", "TokenIssuer", "TokenAudience")
    return Issuer(url, *(parameters.get(name, "") for name in names))


def _apps(template: Template, runner: Runner, addresses: Addresses, issuer: Issuer) -> dict[str, WSGIApplication]:
    """Return the servers by the name of their port."""
    edge = create_app(
        s3=aws.client("s3", addresses.aws),
        uploads_bucket=template.name("UploadsBucket"),
        media_bucket=template.name("MediaBucket"),
        credentials={aws.CREDENTIALS["access_key_id"]: aws.CREDENTIALS["secret_access_key"]},
        region=aws.REGION,
        public_url=addresses.edge,
        media_headers=media_headers(template),
    )
    site = Site(lambda: {"api": addresses.api, "users": _users(issuer)})
    return {"api": Gateway(template, runner), "page": site, "edge": edge, "issuer": issuer}


def _wait_for_moto(exit_status: Callable[[], int | None], endpoint: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if exit_status() is not None:
            raise StartFailed("moto did not start: see aws.log")
        try:
            send("GET", f"{endpoint}/moto-api/data.json")
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise StartFailed(f"moto did not answer within {START_SECONDS} seconds: see aws.log")


def _describe(template: Template, addresses: Addresses, issuer: Issuer) -> dict[str, Any]:
    """Return the content of stack.json."""

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


def _users(issuer: Issuer) -> dict[str, Any]:
    return {
        name: {"user_id": person.user_id, "name": person.name, "token": issuer.mint(TokenRequest(name))}
        for name, person in PEOPLE.items()
    }


def _announce(state: dict[str, Any], folder: Path, seconds: float) -> None:
    token = "make -s token USER=ada" + ("" if folder == STATE else f" STATE={folder}")
    print(
        f"""The service runs (started in {seconds:.1f} s). Press Ctrl-C to stop it.

  Demo page  {state["page"]}
  API        {state["api"]}
  API docs   {state["page"]}/docs
  Storage    {state["aws_endpoint"]}  (S3, DynamoDB, SQS for the AWS CLI; credentials in {folder / "stack.json"})
  Logs       {folder / "logs"}

A token of ada:

  {state["users"]["ada"]["token"]}

`make token USER=…` prints a token of {", ".join(PEOPLE)}. For example:

  curl -H "Authorization: Bearer $({token})" {state["api"]}/media/profile""",
        flush=True,
    )


def main(arguments: list[str]) -> int:
    """Run the stack until a signal comes or the parent process ends. Return 1 if the stack cannot start."""
    options = parse_arguments(arguments)
    began = time.monotonic()
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.set())
    (options.state / "logs").mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        filename=options.state / "logs" / "stack.log", format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    parent = os.getppid()
    try:
        with running(options) as state:
            _announce(state, options.state, time.monotonic() - began)
            while not stopping.wait(WATCH_SECONDS) and os.getppid() == parent:
                pass
    except (StackRunning, StartFailed, TemplateInvalid, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0
