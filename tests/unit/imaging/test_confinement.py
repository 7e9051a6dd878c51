"""That each limit on the child holds by itself, and not because another one does."""

import os

import pytest

from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.model import Reason
from profile_media.imaging import sandbox
from profile_media.imaging.sandbox import SandboxLimits

HIGH = 200
"""A descriptor above the pipe's, as a client's socket would have that was opened meanwhile."""


def spin() -> bytes:
    while True:
        pass


def test_it_is_the_kernel_that_ends_who_computes_without_end() -> None:
    with pytest.raises(ImageUnacceptable) as refused:
        sandbox.run(spin, SandboxLimits(cpu_seconds=1, deadline_seconds=30))
    assert refused.value.reason is Reason.TOO_COMPLEX
    assert "SIGXCPU" in refused.value.detail


@pytest.mark.parametrize("descriptor", [0, 1, 2, HIGH])
def test_no_descriptor_of_the_parents_is_left(descriptor: int) -> None:
    def look() -> bytes:
        try:
            os.fstat(descriptor)
        except OSError:
            return b"closed"
        return b"open"

    reader, writer = os.pipe()
    os.dup2(reader, HIGH)
    try:
        assert sandbox.run(look, SandboxLimits()).answer == b"closed"
    finally:
        for opened in (reader, writer, HIGH):
            os.close(opened)
