"""Random operations of three users: the data equals the model after every step, and nothing is left at the end."""

import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import Machine
from tests.model.simulation import Simulation


@pytest.mark.parametrize(("examples", "steps"), [(15, 25), pytest.param(400, 40, marks=pytest.mark.assurance)])
def test_service_equals_model_after_random_operations(simulation: Simulation, examples: int, steps: int) -> None:
    machine = type("Run", (Machine,), {"simulation": simulation, "ran": Counter()})
    size = settings(
        max_examples=examples,
        stateful_step_count=steps,
        suppress_health_check=list(HealthCheck),
        derandomize="CI" in os.environ,
    )
    run_state_machine_as_test(machine, settings=size)
