"""How much the local stack takes: many users at once live through the whole life of an avatar, and nothing gets lost.

python -m tools.bench.load [--quick]                        a stack of its own, and a burst for the simulation to predict
python -m tools.bench.load.users --users 20 --lives 3       as many as you like, against the stack that `make up` started
"""

from tools.bench.load.area import run

__all__ = ["run"]
