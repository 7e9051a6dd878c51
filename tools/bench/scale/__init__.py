"""How far it goes: which limit is met first, and what a burst feels like to those who are in it.

python -m tools.bench.scale [--quick]       the figures
python -m tools.bench.scale.document        the same into docs/scale.md: --limits leaves out the bursts, which take minutes
"""

from tools.bench.scale.area import run

__all__ = ["run"]
