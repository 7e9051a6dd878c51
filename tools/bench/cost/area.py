"""The cost of replacing an avatar, with this service and the usual way."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from tools.bench.cost.bill import (
    LISTED,
    PRICES,
    Deployment,
    Usage,
    authorization,
    dollars,
    preflight,
    sampled_share,
    storage_dollars,
    total,
    usage,
)
from tools.bench.cost.cpu import Rendering, connection_ms, rendering
from tools.bench.cost.lives import Lived, Stored, ours, usual
from tools.bench.report import RESULTS, ROOT, Goal, Section, number, table
from tools.template import DEPENDENCIES, Template, read

CHANGES_PER_DAY = 1_000
DAY_LIMIT, YEAR_LIMIT = 1.0, 0.20
MONTHS: Sequence[float] = (0, 1, 3, 6, 12)
PICTURE = "12 MP JPEG"
BUNDLE_FOLDER = ROOT / ".aws-sam/build" / DEPENDENCIES
RENDERS = {"process_upload", "upload_user_image", "update_profile_image", "upload_avatar"}
NEEDED = {"TokenIssuer": "https://issuer.example.com/", "TokenAudience": "bench", "AllowedOrigins": "https://a.example"}

BOUND, POLLED, USUAL = "ours, bound by processing", "ours, polled and bound", "the usual way"

TEXT = """\
One user replaces an avatar; the replaced files are deleted. Three ways are billed:

- *{bound}*: the intent says `"bind": true`, processing binds the upload, and the page shows the profile.
- *{polled}*: the client waits for the upload with one poll, and then binds it.
- *{usual}*: a function receives the picture, keeps it, and makes each size from it (`tools/bench/cost/usual_way.py`).

Calls to AWS, capacity units and log bytes are recorded on moto. CPU time of rendering a {picture} of {megabytes:.1f} MB
is measured in turns: {ours_ms:.0f} ms against {usual_ms:.0f} ms ({spread}). A new TLS connection takes {own_ms:.1f} ms
of CPU time with the service's CA bundle and {default_ms:.1f} ms with botocore's. Waiting times are assumed
(`tools/bench/assumptions.toml`). At {changes:,} changes a day X-Ray records {sampled:.0%} of the service's requests.
Browsers send a preflight for each URL; their cache does not help a user who changes a picture rarely. A page on the
API's own origin sends none. Left out on both sides: cold starts, API access logs, and metrics and alarms, which cost
the same at any traffic.

Prices are AWS's list prices of {region}, {taken}, first tier, without the free tier (`tools/bench/prices.toml`).
Compare them with AWS's pages before you rely on them.

{tables}

### With storage

Dollars for a million changes whose pictures stay for some months; in parentheses, divided by the usual way. Bytes per
picture: {stored}. The usual way keeps the original.

{months}
"""


@dataclass(frozen=True)
class Way:
    """One way to replace an avatar: usage by step, and the bytes that stay in S3."""

    name: str
    lines: Mapping[str, Usage]
    stored: Stored

    def dollars(self, months: float = 0) -> float:
        """Return the price of one change, and of storing its picture."""
        return dollars(total(self.lines.values())) + storage_dollars(self.stored, months)


def run(quick: bool) -> Section:
    """Record all lives, measure CPU time, and compute the bill."""
    picture = _picture()
    template = read(ROOT / "template.yaml", NEEDED, "http://127.0.0.1", "us-east-1")
    cpu = rendering(picture, 3 if quick else 11)
    default, own = _bundles(template)
    ms = {bundle: connection_ms(bundle) for bundle in (default, own)}
    mine = _deployment(template, cpu.ours_ms, ms[own], len(picture))
    theirs = _usual_deployment(mine, cpu.usual_ms, ms[default])
    lives = {BOUND: ours(picture, bind=True), POLLED: ours(picture), USUAL: usual(picture)}
    sampled = _sampled(lives[POLLED], mine)
    ways = [
        way(name, lived, theirs if name == USUAL else mine, 0 if name == USUAL else sampled)
        for name, lived in lives.items()
    ]
    text = _text(ways, cpu, len(picture), sampled, (ms[own], ms[default]))
    return Section("Calls and money", text, tuple(_goals(ways)))


def _picture() -> bytes:
    from tools.bench.derivatives.sources import made  # noqa: PLC0415 - needs numpy

    return made(RESULTS / "sources", (PICTURE,))[PICTURE].read_bytes()


def _bundles(template: Template) -> tuple[Path, Path]:
    """Return botocore's CA bundle and the one that the template names."""
    found = find_spec("botocore")
    if found is None or found.origin is None:
        raise RuntimeError("botocore is not installed")
    default = Path(found.origin).with_name("cacert.pem")
    variables = template.functions["ProcessUploadFunction"].properties["Environment"]["Variables"]
    named = variables.get("AWS_CA_BUNDLE")
    return default, BUNDLE_FOLDER / Path(named).relative_to("/opt") if named else default


def _deployment(template: Template, rendering_ms: float, tls_ms: float, size: int) -> Deployment:
    """Read memory sizes, routes and tracing from the template."""
    functions = {Path(each.properties["CodeUri"]).name: each.properties for each in template.functions.values()}
    return Deployment(
        memory_mib={name: int(properties["MemorySize"]) for name, properties in functions.items()},
        api=frozenset(name for name, properties in functions.items() if _has_route(properties)),
        traced=_is_traced(template),
        connection_ms=tls_ms,
        rendering_ms=rendering_ms,
        renders=frozenset(RENDERS),
        picture_bytes=size,
    )


def _is_traced(template: Template) -> bool:
    """Say whether the functions or the API start traces."""
    active = any(each.properties.get("Tracing") == "Active" for each in template.functions.values())
    apis = template.of_type("AWS::Serverless::Api")
    return active or any(str(api.properties.get("TracingEnabled")).lower() == "true" for api in apis)


def _has_route(properties: Mapping[str, Mapping[str, Mapping[str, str]]]) -> bool:
    return any(event["Type"] == "Api" for event in properties.get("Events", {}).values())


def _usual_deployment(mine: Deployment, rendering_ms: float, tls_ms: float) -> Deployment:
    memory = {**mine.memory_mib, "upload_avatar": mine.memory_mib["process_upload"]}
    api = frozenset({"upload_avatar", "get_profile"})
    return replace(mine, memory_mib=memory, api=api, traced=False, rendering_ms=rendering_ms, connection_ms=tls_ms)


def _sampled(lived: Lived, mine: Deployment) -> float:
    requests = 2 * sum(step.function in mine.api for step in lived.steps)
    return sampled_share(CHANGES_PER_DAY * requests / 86_400)


def way(name: str, lived: Lived, deployment: Deployment, sampled: float) -> Way:
    """Compute the bill of a picture's life: its steps, preflights and authorizer calls."""
    lines = {step.name: usage(step, deployment, sampled) for step in lived.steps}
    calls = sum(step.function in deployment.api for step in lived.steps)
    is_usual = name == USUAL  # its preflights are answered by API Gateway, its tokens are checked for free
    one = preflight(None if is_usual else deployment.memory_mib["preflight"], deployment, sampled)
    lines[f"{calls} preflights"] = total([one] * calls)
    if not is_usual:
        lines["authorize"] = authorization(deployment.memory_mib["authorize"])
        lines["upload, by the browser"] = {"S3 PUT, LIST": 1}
    return Way(name, lines, lived.stored)


def _text(ways: Sequence[Way], cpu: Rendering, size: int, sampled: float, connection_ms: tuple[float, float]) -> str:
    return TEXT.format(
        bound=BOUND,
        polled=POLLED,
        usual=USUAL,
        picture=PICTURE,
        megabytes=size / 1e6,
        ours_ms=cpu.ours_ms,
        usual_ms=cpu.usual_ms,
        spread=cpu.spread,
        own_ms=connection_ms[0],
        default_ms=connection_ms[1],
        changes=CHANGES_PER_DAY,
        sampled=sampled,
        region=LISTED["region"],
        taken=LISTED["taken"],
        tables="\n\n".join(f"### {each.name.capitalize()}\n\n{_table(each)}" for each in ways),
        stored=", ".join(_bytes(each) for each in ways[1:]),
        months=table(
            ("Months", *(each.name for each in ways)), ([f"{months:g}", *_at(ways, months)] for months in MONTHS)
        ),
    )


def _bytes(shown: Way) -> str:
    infrequent = f", of these {shown.stored.infrequent:,} for infrequent access" if shown.stored.infrequent else ""
    return f"{shown.stored.standard + shown.stored.infrequent:,}{infrequent} ({shown.name})"


def _at(ways: Sequence[Way], months: float) -> Iterator[str]:
    usual_way = ways[-1].dollars(months)
    for each in ways:
        yield f"${1e6 * each.dollars(months):,.0f} ({each.dollars(months) / usual_way:.2f})"


def _table(shown: Way) -> str:
    everything = total(shown.lines.values())
    names = [name for name in PRICES if everything.get(name)]
    rows = [_row(step, used, names) for step, used in shown.lines.items()]
    prices = {name: 1e6 * everything[name] * PRICES[name] for name in names}
    rows += [_row("**all**", everything, names), ("$ a million", *(f"{prices[name]:.2f}" for name in names), "")]
    return table(("Step", *names, "$ a million"), rows)


def _row(step: str, used: Usage, names: Sequence[str]) -> Sequence[str]:
    cells = (number(used[name]) if used.get(name) else "" for name in names)
    return step, *cells, f"{1e6 * dollars(used):.2f}"


def _goals(ways: Sequence[Way]) -> Iterator[Goal]:
    *mine, theirs = ways
    for each in mine:
        for months, limit in ((0, DAY_LIMIT), (12, YEAR_LIMIT)):
            when = "on the day" if not months else f"with {months} months of storage"
            name = f"One change, {each.name} ÷ the usual way, {when}"
            figure = each.dollars(months) / theirs.dollars(months)
            yield Goal(name, limit, figure, note="" if months else _largest(each, theirs))


def _largest(mine: Way, theirs: Way) -> str:
    """Name the three largest parts of the bill, divided by the whole bill of the other way."""
    used = total(mine.lines.values())
    parts = sorted(((used[name] * PRICES[name], name) for name in used), reverse=True)[:3]
    return ", ".join(f"{name} {price / theirs.dollars():.2f}" for price, name in parts)
