"""Prints what an avatar costs, for any numbers; `--keep` has the README computed from this run."""

import argparse
from pathlib import Path

from tools.bench.cost import COMMAND, MEASURED, OPENING, Asked, compared, readme_line, section, source
from tools.bench.cost.cpu import rendering
from tools.bench.cost.lives import ours, usual
from tools.bench.report import goals_table

README = Path(__file__).parents[3] / "README.md"


def main() -> None:
    """As the options say."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    default = Asked()
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, for a look")
    parser.add_argument("--users", type=int, default=default.users)
    parser.add_argument("--changes-per-day", type=float, default=default.changes_per_day, help="of a user's picture")
    parser.add_argument("--megapixels", type=int, choices=(3, 12, 48), default=default.megapixels)
    parser.add_argument("--keep", action="store_true", help="measure, and rewrite what the README says of it")
    given = parser.parse_args()
    asked = Asked(given.users, given.changes_per_day, given.megapixels)
    if given.keep:
        _keep(asked)
        return
    found = section(asked, given.quick)
    print(f"# {found.title}\n\n{found.text}\n\n{goals_table(found.goals)}")


def _keep(asked: Asked) -> None:
    picture = source(asked.megapixels)
    found = rendering(picture, 11)
    both = compared(ours(picture), usual(picture), found, len(picture))
    MEASURED.write_text(
        "# What `python -m tools.bench.cost --keep` measured last, and what the README's line is computed from.\n\n"
        f"[rendering]  # CPU, medians\nours_ms = {found.ours_ms:.1f}\nusual_ms = {found.usual_ms:.1f}\n"
        f'spread = "{found.spread}"\n\n'
        f"[stored]  # bytes that stay in S3 of a JPEG of {asked.megapixels} megapixels and {len(picture)} bytes\n"
        f"picture = {len(picture)}\nours = {both.ours.stored}\nusual = {both.usual.stored}\n"
    )
    before, marker, after = README.read_text().partition(OPENING)
    _, _, rest = after.partition("\n\n")
    if marker:
        README.write_text(f"{before}{readme_line(both)}\n\n{rest.lstrip()}")


if __name__ == "__main__":
    main()
