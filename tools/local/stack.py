"""Start the local stack on 127.0.0.1 and stop it again.

It stops on Ctrl-C and SIGTERM, and when the process that started it ends. All data is in memory and is lost then,
unless a folder keeps it; the logs stay in `.local/logs`.
"""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication

from botocore.exceptions import ClientError

from tools.local import aws, sam
from tools.local.access_log import AccessLog
from tools.local.addresses import Addresses
from tools.local.browser import send
from tools.local.issuer import PEOPLE, Issuer, Keys, TokenRequest
from tools.local.kept import Kept, kept_tokens
from tools.local.options import STATE, Options, parse_arguments
from tools.local.pumps import Pumps
from tools.local.reload import LiveGateway
from tools.local.resources import create_all, media_headers
from tools.local.runner import Runner
from tools.local.s3_edge import create_app
from tools.local.serving import HOST, listen, port_of, serve
from tools.local.site import Site
from tools.local.state import StackRunning, locked, remove_stale_state, remove_state, write_state
from tools.template import BUCKET, FUNCTION, QUEUE, TABLE, Template, TemplateInvalid, read, written

START_SECONDS = 300
"""moto starts within two seconds on an idle machine."""

SAVE_SECONDS = 10
"""Interval of the saves with KEEP=1."""

CHECK_SECONDS = 0.5
"""Interval of the checks whether the template has changed and whether the parent process still runs."""


LOG = logging.getLogger(__name__)

ACCESS_LOGS = {"api": "Api.log", "edge": "S3.log"}
"""The access log of a server, by the name of its port."""


class StartFailed(Exception):
    """The stack cannot start."""


@contextmanager
def running(options: Options) -> Iterator[dict[str, Any]]:
    """Start the stack, yield the content of stack.json, and stop the stack at the end."""
    logs = options.state / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    with ExitStack() as cleanup:
        cleanup.enter_context(locked(options.state))
        remove_stale_state(options.state)
        tokens = kept_tokens(options.keep)
        ports = {name: port or tokens.get("ports", {}).get(name, 0) for name, port in options.ports.items()}
        listeners = {name: cleanup.enter_context(listen(port)) for name, port in ports.items()}
        ports = {name: port_of(found) for name, found in listeners.items()}
        addresses = Addresses(**{name: f"http://{HOST}:{port}" for name, port in ports.items()})
        reachable = {
            name: [socket.create_server((options.containers, port_of(listeners[name])))] if options.containers else []
            for name in ("aws", "issuer")  # what functions call
        }
        moto = aws.start(listeners["aws"], logs / "aws.log", *reachable["aws"])
        cleanup.callback(moto.wait)
        cleanup.callback(moto.kill)
        template = _read(options, addresses)
        runner = Runner(addresses.functions(template), logs, debug_port=options.debug)
        cleanup.callback(runner.stop)
        _wait_for_moto(moto.poll, addresses.aws)
        create_all(template)
        issuer = _issuer(addresses.issuer, template.parameters, tokens.get("keys"))
        debug_port = runner.debug_port()

        def publish() -> dict[str, Any]:
            """Write the files for SAM CLI, then stack.json, and return its content."""
            state = {**_describe(api.template, addresses, issuer), "debug_port": debug_port}
            sam.write_files(options.state, api.template, addresses)
            write_state(options.state, state)
            return state

        api = LiveGateway(lambda: _read(options, addresses), runner, addresses, publish)
        pumps = Pumps(template, runner)
        # Stop moto before the pumps: a pump in a long poll then ends at once.
        cleanup.callback(moto.kill)
        tokens = {"keys": issuer.keys.export(), "ports": ports}
        is_restored = options.keep is not None and cleanup.enter_context(_kept(options.keep, template, tokens, pumps))
        cleanup.callback(pumps.stop)
        pumps.start()
        apps: dict[str, WSGIApplication] = {"api": api, **_apps(template, addresses, issuer)}
        for name, app in apps.items():
            path = ACCESS_LOGS.get(name)
            logged = AccessLog(app, logs / path) if path else app
            for listener in (listeners[name], *reachable.get(name, ())):
                server = serve(logged, listener)
                cleanup.callback(server.server_close)
                cleanup.callback(server.shutdown)
        state = publish()
        cleanup.callback(remove_state, options.state)
        if is_restored:
            cleanup.enter_context(_recovery(options.state))
        cleanup.enter_context(_repeated(api.check, CHECK_SECONDS))
        yield state


@contextmanager
def _repeated(action: Callable[[], object], seconds: float) -> Iterator[None]:
    """Run an action again and again in a thread, which ends with the context."""
    stopping = threading.Event()

    def repeat() -> None:
        while not stopping.wait(seconds):
            try:
                action()
            except Exception:
                LOG.exception("%s failed", action)

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def _read(options: Options, addresses: Addresses) -> Template:
    local = addresses.local_parameters(options.parameters.get("IdentityProvider", "custom"))
    given = addresses.given_parameters(options.parameters)
    written.cache_clear()  # the file may have changed
    return read(options.template, given, addresses.aws, aws.REGION, local)


@contextmanager
def _kept(folder: Path, template: Template, tokens: Mapping[str, Any], pumps: Pumps) -> Iterator[bool]:
    """Fill the stack from a folder, and save it there while it runs and at the end. Yield whether it was filled."""
    with locked(folder):
        kept = Kept(folder, template, tokens)
        try:
            is_restored = kept.restore()
        except (ClientError, KeyError) as error:
            raise StartFailed(f"the state in {folder} does not fit the template: `make reset` deletes it") from error
        with _repeated(kept.save, SAVE_SECONDS):
            yield is_restored
        pumps.join()
        kept.save(with_messages=True)


@contextmanager
def _recovery(state: Path) -> Iterator[None]:
    """Repair what was on its way when the state was saved, such as purge messages that SQS still delayed."""
    command = [sys.executable, "-m", "tools.local.reconcile", "--mend", "--patience", "0", "--state", str(state)]
    with (state / "logs" / "recovery.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _issuer(url: str, parameters: Mapping[str, str], pems: Mapping[str, str] | None) -> Issuer:
    """Return an issuer whose tokens the stack accepts."""
    names = ("TenantClaim", "IdentityProvider", "TokenIssuer", "TokenAudience")
    tenant_claim, provider, issuer, audience = (parameters.get(name, "") for name in names)
    keys = Keys.parse(pems) if pems else None
    return Issuer(url, tenant_claim, provider, issuer, audience, keys=keys)


def _apps(template: Template, addresses: Addresses, issuer: Issuer) -> dict[str, WSGIApplication]:
    """Return the servers besides the API by the name of their port."""
    edge = create_app(
        s3=aws.client("s3", addresses.aws),
        uploads_bucket=template.name("UploadsBucket"),
        media_bucket=template.name("MediaBucket"),
        credentials={aws.CREDENTIALS["access_key_id"]: aws.CREDENTIALS["secret_access_key"]},
        region=aws.REGION,
        public_url=addresses.edge,
        media_headers=media_headers(template),
    )
    accepts_heic = template.parameters["AcceptHeic"] == "true"
    site = Site(lambda: {"api": addresses.api, "accepts_heic": accepts_heic, "users": _users(issuer)})
    return {"page": site, "edge": edge, "issuer": issuer}


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
        "template": str(template.path.absolute()),
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
        name: {
            "user_id": person.user_id,
            "name": person.name,
            "email": person.email,
            # The page has the provider's pictures itself: the URLs in the claims lead nowhere.
            "picture": f"/people/{name}.svg" if "picture" in person.claims else None,
            "token": issuer.mint(TokenRequest(name)),
        }
        for name, person in PEOPLE.items()
    }


def _announce(state: dict[str, Any], folder: Path, seconds: float) -> None:
    debugger = f"\n  Debugger   {HOST}:{state['debug_port']}" if state["debug_port"] else ""
    at = "" if folder == STATE else f" STATE={folder}"
    print(
        f"""The service runs (started in {seconds:.1f} s). Press Ctrl-C to stop it.

  Profile    {state["page"]}
  Console    {state["page"]}/console
  API        {state["api"]}
  API docs   {state["page"]}/docs
  AWS        {state["aws_endpoint"]}  (S3, DynamoDB, SQS)
  Origins    {state["parameters"]["AllowedOrigins"].replace(",", " ")}
  Logs       make logs{at}{debugger}

  curl -H "Authorization: Bearer $(make -s token USER=ada{at})" {state["api"]}/media/profile

`make token USER=…{at}` prints a token of {", ".join(PEOPLE)}. docs/local.md explains the rest.
""",
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
            while not stopping.wait(CHECK_SECONDS) and os.getppid() == parent:
                pass
    except (StackRunning, StartFailed, TemplateInvalid, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0
