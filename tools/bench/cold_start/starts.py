"""Start every built function over TLS, while tools/scripts/smoke_built plays the life of a picture with them."""

import contextlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec, module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlparse

from tools.bench.processes import Command, Measured, count_instructions, measure_cpu
from tools.bench.report import ROOT
from tools.bench.tls import Chain, Proxy, chain, proxy
from tools.template import DEPENDENCIES

BUILT = ROOT / ".aws-sam/build"
LAYERS = (DEPENDENCIES, "ProfileMediaLayer")
HERE = Path(__file__).parent
REFUSED_FIRST = "authorize"
"""smoke_built sends this function a bad token first. The accepted one counts, because it needs the issuer's keys."""


def _smoke() -> ModuleType:
    """Import tools/scripts/smoke_built, which has no .py ending."""
    loader = SourceFileLoader("smoke_built", str(ROOT / "tools/scripts/smoke_built"))
    spec = spec_from_loader("smoke_built", loader)
    if spec is None:
        raise ImportError("tools/scripts/smoke_built")
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


SMOKE = _smoke()
Build: Any = SMOKE.Build

type Measure = Callable[[Command], Measured]
"""`count_instructions` or `measure_cpu`. Counts repeat, so the baseline is counted once; times do not."""


@dataclass
class Start:
    """What the first invocation of one function used, and the baseline beside it."""

    measured: Measured
    baseline: Measured
    connections: int


@dataclass
class Trust:
    """Where the functions and the baseline find certificate authorities: production's files plus the test root."""

    folder: Path
    root: Path

    def bundle(self, source: Path) -> str:
        """Return a copy of a CA bundle with the test root at its end."""
        copy = self.folder / source.name
        copy.write_bytes(source.read_bytes() + b"\n" + self.root.read_bytes())
        return str(copy)

    def hashed(self, source: Path) -> str:
        """Return a copy of a folder of authorities, named by hash for OpenSSL, with the test root in it."""
        copy = self.folder / "authorities"
        if not copy.exists():
            shutil.copytree(source, copy)
            command = ["openssl", "x509", "-noout", "-subject_hash", "-in", str(self.root)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            shutil.copy(self.root, copy / f"{done.stdout.strip()}.0")
        return str(copy)


class MeasuredBuild(Build):  # type: ignore[misc]
    """Measure the first invocation of each function; later ones run as usual."""

    measure: Measure
    aws: Proxy
    issuer: Proxy
    trust: Trust

    def prepare(self, measure: Measure, aws: Proxy, issuer: Proxy, trust: Trust) -> None:
        self.measure, self.aws, self.issuer, self.trust = measure, aws, issuer, trust
        self.starts: dict[str, Start] = {}
        self.baseline = self._baseline()
        self.count = measure(self.baseline) if measure is count_instructions else None

    def run(self, function: Path, event: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Replace smoke_built's way to invoke a function."""
        name = _snake_case(function.name.removesuffix("Function"))
        layers = [str(self.folder / layer / "python") for layer in LAYERS]
        arguments = (str(HERE / "child.py"), str(function), *layers)
        command = Command(arguments, {**environment, **self._over_tls(environment)}, event)
        if name in self.starts and name != REFUSED_FIRST:
            return command.run()
        before = self.aws.connections + self.issuer.connections
        measured = self.measure(command)
        connections = self.aws.connections + self.issuer.connections - before
        self.starts[name] = Start(measured, self.count or self.measure(self.baseline), connections)
        return measured.done

    def _over_tls(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Point the function at the TLS servers. Paths below /opt are in the built layer."""
        layer = self.folder / LAYERS[0]
        default = _site_packages() / "botocore/cacert.pem"
        bundle = environment.get("AWS_CA_BUNDLE")
        changed = {
            "AWS_ENDPOINT_URL": self.aws.url,
            "AWS_CA_BUNDLE": self.trust.bundle(layer / Path(bundle).relative_to("/opt") if bundle else default),
        }
        if "TOKEN_ISSUER" in environment:
            changed["TOKEN_JWKS_URL"] = f"{self.issuer.url}/.well-known/jwks.json"
        if folder := environment.get("CERTIFICATE_AUTHORITIES"):
            changed["CERTIFICATE_AUTHORITIES"] = self.trust.hashed(layer / Path(folder).relative_to("/opt"))
        return changed

    def _baseline(self) -> Command:
        """boto3 as installed for development, with its bytecode and its own CA bundle."""
        site = _site_packages()
        bundle = self.trust.bundle(site / "botocore/cacert.pem")
        environment = {**self.loopback, "AWS_ENDPOINT_URL": self.aws.url, "AWS_CA_BUNDLE": bundle}
        names = self.template.name("UploadsBucket"), self.template.name("UsersTable")
        return Command((str(HERE / "baseline.py"), str(site), *names), environment)


def _site_packages() -> Path:
    found = find_spec("boto3")
    if found is None or found.origin is None:
        raise RuntimeError("boto3 is not installed; run make install")
    return Path(found.origin).parents[1]


def _snake_case(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).removeprefix("_")


def play(measure: Measure) -> dict[str, Start]:
    """Play the life once, and return the start of each function."""
    with _deployed() as (build, token, aws, issuer, trust):
        build.prepare(measure, aws, issuer, trust)
        with contextlib.redirect_stdout(sys.stderr):  # it reports every step
            SMOKE.try_out(build, token)
        starts: dict[str, Start] = build.starts
        return starts


@contextmanager
def _deployed() -> Iterator[tuple[MeasuredBuild, str, Proxy, Proxy, Trust]]:
    if not (BUILT / "template.yaml").exists():
        raise RuntimeError("nothing is built; run make build")
    with (
        tempfile.TemporaryDirectory() as folder,
        chain() as certificates,
        SMOKE.deployed(BUILT, MeasuredBuild) as (build, token),
    ):
        aws, issuer = build.loopback["AWS_ENDPOINT_URL"], build.template.parameters["TokenIssuer"]
        with _proxy(aws, certificates) as aws_proxy, _proxy(issuer, certificates) as issuer_proxy:
            yield build, token, aws_proxy, issuer_proxy, Trust(Path(folder), certificates.root)


def _proxy(url: str, certificates: Chain) -> Any:
    return proxy(urlparse(url).port or 80, certificates)


@dataclass
class Cold:
    """All measurements of one function."""

    name: str
    instructions: int = 0
    baseline_instructions: int = 0
    connections: int = 0
    cpu_ms: list[float] = field(default_factory=list)
    baseline_cpu_ms: list[float] = field(default_factory=list)


def measure_all(rounds: int) -> list[Cold]:
    """Count instructions in one life, then measure CPU time in several. The baseline takes turns with each function."""
    colds: dict[str, Cold] = {}
    if shutil.which("valgrind"):
        for name, start in play(count_instructions).items():
            counts = start.measured.instructions, start.baseline.instructions
            colds[name] = Cold(name, *counts, start.connections)
    for _ in range(rounds):
        for name, start in play(measure_cpu).items():
            cold = colds.setdefault(name, Cold(name))
            cold.connections = start.connections
            cold.cpu_ms.append(start.measured.cpu_ms)
            cold.baseline_cpu_ms.append(start.baseline.cpu_ms)
    return [colds[name] for name in sorted(colds)]
