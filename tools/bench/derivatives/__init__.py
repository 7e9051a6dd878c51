"""Derivatives: what the pipeline takes and gives, beside those who do the same."""

from tools.bench.report import Section


def run(quick: bool) -> Section:
    """The area's section."""
    from tools.bench.derivatives.area import run as measure  # noqa: PLC0415 - the workers import none of what it needs

    return measure(quick)
