"""Random lives of three users agree with the model at every step, and leave nothing behind."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.assurance import Note
from tests.model.lives import Lives
from tests.model.machine import Machine

pytestmark = pytest.mark.campaign("F-6")

SIZE, AT_LENGTH = (110, 30), (2_000, 50)
"""Examples, and steps of each."""


def test_random_lives_agree_with_the_model(lives: Lives, note: Note, *, at_length: bool) -> None:
    examples, steps = AT_LENGTH if at_length else SIZE
    ran: Counter[str] = Counter()
    machine = type("Lived", (Machine,), {"lives": lives, "ran": ran})
    size = settings(max_examples=examples, stateful_step_count=steps, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(machine, settings=size)
    for figure, count in (ran + lives.figures).items():
        note.add(figure, count)
