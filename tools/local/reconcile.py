"""Compare buckets and tables, and print what is orphaned or missing: `make reconcile ARGS="--mend"`.

It checks the running local stack, or with `--stack` a stack on AWS with the environment's credentials and region. It
does what the function `reconcile` does, without checkpoints, and also reports uploads that wait for their purge. Lost
events are always sent again. Exit status 1 if anything was found.
"""

import argparse
import sys
from datetime import datetime, timedelta

from profile_media.domain.findings import Finding, GracePeriods
from profile_media.domain.ports import Checkpoint
from tools.local.state import StackNotRunning
from tools.target import add_options, use_stack

PLENTY = timedelta(days=365)


class InMemory:
    """Checkpoints that are not stored."""

    def __init__(self) -> None:
        self._kept: dict[str, Checkpoint] = {}

    def load(self, name: str) -> Checkpoint | None:
        """Return a checkpoint."""
        return self._kept.get(name)

    def save(self, checkpoint: Checkpoint, expires_at: datetime) -> bool:
        """Keep a checkpoint."""
        self._kept[checkpoint.name] = checkpoint
        return True


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="make reconcile", description="Print orphaned and missing objects and rows.")
    parser.add_argument("--mend", action="store_true", help="repair what was found")
    parser.add_argument("--patience", type=int, metavar="SECONDS", help="maximum grace period")
    add_options(parser)
    return parser.parse_args(arguments)


def reconcile(patience: GracePeriods, *, mends: bool) -> list[Finding]:
    """Run one pass and return its findings."""
    from profile_media.wiring.reconciling import make_reconciler  # noqa: PLC0415 - reads the environment, which is set by now

    findings: list[Finding] = []
    reconciler = make_reconciler(findings.append, lambda _: None, InMemory(), patience, mends=mends)
    reconciler.run(lambda: PLENTY)
    return findings


def patience_of(seconds: int | None) -> GracePeriods:
    """Return the function's grace periods, limited to `seconds`. The purge gets none."""
    usual, most = GracePeriods(), timedelta.max if seconds is None else timedelta(seconds=seconds)
    return GracePeriods(min(usual.event, most), min(usual.original, most), min(usual.objects, most), timedelta())


def table_of(findings: list[Finding]) -> str:
    """Return a table of the findings."""
    rows = [("what", "owner", "upload or key", "slot", "detail", "done")]
    for found in findings:
        subject = found.upload_id or found.key or ""
        rows.append(
            (found.kind.value, found.owner_id or "", subject, found.slot or "", found.detail, found.mended or "")
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Print the findings. Return 1 if there are any, or if no stack runs."""
    chosen = parse_arguments(arguments)
    try:
        use_stack(chosen)
    except StackNotRunning as error:
        print(error, file=sys.stderr)
        return 1
    findings = reconcile(patience_of(chosen.patience), mends=chosen.mend)
    if not findings:
        print("Nothing is orphaned or missing.")
        return 0
    print(table_of(findings))
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
