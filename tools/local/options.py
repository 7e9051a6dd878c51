"""The command line of `make up`."""

import argparse
import shlex
from dataclasses import dataclass, field
from pathlib import Path

from tools.local.origins import add_origins
from tools.template import TEMPLATE

STATE = Path(".local")
PORTS = {"api": 3000, "page": 3001, "edge": 3002, "issuer": 3003, "aws": 3004}
"""The port of each part, if it is free."""

MAX_PORT = 65535

DEBUG_PORT = 5678
"""The port in .vscode/launch.json."""


@dataclass(frozen=True)
class Options:
    """The chosen options."""

    template: Path = TEMPLATE
    state: Path = STATE
    ports: dict[str, int] = field(default_factory=lambda: dict(PORTS))
    """0 means any free port."""
    parameters: dict[str, str] = field(default_factory=dict)
    debug: int | None = None
    """Port for a debugger, if the functions are to be debugged."""
    keep: Path | None = None
    """Folder that keeps the data between two runs."""
    containers: str | None = None
    """Address on which containers call this machine."""


def parse_arguments(arguments: list[str]) -> Options:
    """Return the options. Exit with status 2 if an argument is invalid."""
    parser = argparse.ArgumentParser(prog="make up", description="Run the whole service on this machine.")
    parser.add_argument("--template", type=Path, default=TEMPLATE)
    parser.add_argument("--state", type=Path, default=STATE, help="folder of stack.json and of the logs")
    parser.add_argument("--params", default="", help="template parameters: Name=value …")
    parser.add_argument("--ports", default="", help="the first of five ports, or api=… page=… edge=… issuer=… aws=…")
    parser.add_argument("--containers", help="address of this machine, besides 127.0.0.1, that containers call")
    parser.add_argument("--keep", type=Path, help="folder that keeps the data between two runs")
    parser.add_argument("--debug", type=int, help="run the functions in one process for a debugger: 1, or a port")
    chosen = parser.parse_args(arguments)
    try:
        parameters, ports = _parameters(chosen.params), _ports(chosen.ports)
    except ValueError as error:
        parser.error(str(error))
    debug = DEBUG_PORT if chosen.debug == 1 else chosen.debug
    return Options(chosen.template, chosen.state, ports, parameters, debug, chosen.keep, chosen.containers)


def _parameters(text: str) -> dict[str, str]:
    chosen = _pairs(text)
    add_origins("", chosen.get("AllowedOrigins", ""))
    return chosen


def _ports(text: str) -> dict[str, int]:
    if text.isdecimal():
        first = int(text)
        return _check_ports({name: first + index if first else 0 for index, name in enumerate(PORTS)})
    chosen = {name: int(port) for name, port in _pairs(text).items()}
    if unknown := chosen.keys() - PORTS.keys():
        raise ValueError(f"there is no port named {', '.join(sorted(unknown))}")
    return _check_ports({**PORTS, **chosen})


def _check_ports(ports: dict[str, int]) -> dict[str, int]:
    if wrong := [f"{name}={port}" for name, port in ports.items() if not 0 <= port <= MAX_PORT]:
        raise ValueError(f"a port is at most {MAX_PORT}: {', '.join(wrong)}")
    return ports


def _pairs(text: str) -> dict[str, str]:
    pairs = [word.partition("=") for word in shlex.split(text)]
    if wrong := next((name for name, sign, _ in pairs if not sign), None):
        raise ValueError(f"{wrong} is not Name=value")
    return {name: value for name, _, value in pairs}
