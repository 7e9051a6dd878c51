"""The Images port on Pillow.

`probe` reads first bytes, `render` is the pipeline, `sandbox` the child it runs in, `answer` what the child sends back.
"""

from collections.abc import Callable
from functools import partial

from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.keys import digest
from profile_media.domain.model import ContentType, Derivative, Reason, Slot
from profile_media.domain.ports import Rendered
from profile_media.imaging import answer, sandbox
from profile_media.imaging.probe import probe, sniff
from profile_media.imaging.sandbox import SandboxLimits

type Pipeline = Callable[[bytes, ContentType, Slot], answer.Made]


class PillowImages:
    """Renders each picture in a child of its own.

    Pillow is imported when the first one is made, not with this module: whoever composes a function decides whether it
    pays, and pays while the function starts. It has to be the parent that imports, or every child would, anew.

    >>> PillowImages().render(content, ContentType.JPEG, Slot.AVATAR).derivatives[0][0].name
    'full'
    """

    def __init__(self, limits: SandboxLimits | None = None, *, keep_master: bool = True) -> None:
        from profile_media.imaging.render import render  # noqa: PLC0415

        self._pipeline: Pipeline = partial(render, keep_master=keep_master)
        self._keep_master = keep_master
        self._limits = limits or SandboxLimits()

    def identify(self, content: bytes) -> ContentType:
        """The format the first bytes announce; raises ImageUnacceptable for one that is not taken."""
        sniffed = sniff(content)
        if sniffed is None:
            raise ImageUnacceptable(Reason.UNSUPPORTED_FORMAT, f"starts with {content[:12].hex()}")
        return sniffed

    def render(self, content: bytes, declared: ContentType, slot: Slot) -> Rendered:
        """Makes the slot's derivatives, and the master where it is kept; raises ImageUnacceptable for any bad bytes."""
        probe(content, declared)
        outcome = sandbox.run(lambda: attempt(self._pipeline, content, declared, slot), self._limits)
        try:
            made = answer.read(outcome.answer, slot, keep_master=self._keep_master)
        except ImageUnacceptable as refusal:
            refusal.cost = outcome.cost
            raise
        derivatives = tuple((_derivative(picture), picture.content) for picture in made.pictures)
        return Rendered(declared, made.width, made.height, derivatives, outcome.cost)


def attempt(pipeline: Pipeline, content: bytes, content_type: ContentType, slot: Slot) -> bytes:
    """What the child answers: decoders raise more than they document, so any exception is the picture's fault."""
    try:
        return answer.write_made(pipeline(content, content_type, slot))
    except ImageUnacceptable as refusal:
        return answer.write_refusal(refusal.reason, refusal.detail)
    except MemoryError:
        return answer.write_refusal(Reason.TOO_COMPLEX, "takes more memory than a picture may")
    except Exception as error:
        return answer.write_refusal(Reason.CORRUPT, f"{type(error).__name__}: {error}")


def _derivative(picture: answer.Picture) -> Derivative:
    size = len(picture.content)
    named = digest(picture.content)
    return Derivative(picture.name, named, picture.content_type, picture.width, picture.height, size)
