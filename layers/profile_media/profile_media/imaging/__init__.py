"""The port Images on Pillow.

`probe` checks first bytes, `sandbox` forks the child, `render` is the pipeline in the child (with `decoding`,
`resampling`, `colour` and `animation`), `child_protocol` and `metadata` check what the child sends back. `jpeg`, `png`,
`avif` and `heic` read the parts of a file that Pillow does not; `profiles` turns colours that a file states as numbers
into ICC profiles.
"""

from collections.abc import Callable
from functools import partial

from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.formats import ContentType, accepted_types
from profile_media.domain.framing import Framing
from profile_media.domain.keys import digest
from profile_media.domain.model import Derivative, Reason, Slot
from profile_media.domain.ports import Rendered
from profile_media.imaging import child_protocol, heic, sandbox
from profile_media.imaging.child_protocol import EncodedImage, RenderResult
from profile_media.imaging.probe import identify, probe
from profile_media.imaging.sandbox import SandboxLimits

type Task = Callable[[], RenderResult]
"""Rendering one picture, in the child."""


class PillowImages:
    """Renders each picture in a child process of its own.

    The constructor imports Pillow, not this module: only functions that render pay for it, and they pay at start. The
    parent has to import it, or every child would import it again.

    >>> PillowImages().render(content, Slot.AVATAR).derivatives[0][0].name
    'full'
    """

    def __init__(
        self,
        limits: SandboxLimits | None = None,
        *,
        keep_master: bool = True,
        keep_animation: bool = False,
        accept_heic: bool = False,
    ) -> None:
        from profile_media.imaging.render import render  # noqa: PLC0415

        if accept_heic:
            heic.register_decoder()
        self._render = render
        self._keep_master = keep_master
        self._keep_animation = keep_animation
        self._accepted = accepted_types(heic=accept_heic)
        self._limits = limits or SandboxLimits()

    def identify(self, content: bytes) -> ContentType:
        """Return the format that the first bytes announce. Raises ImageUnacceptable for an unsupported one."""
        return identify(content, self._accepted)

    def render(self, content: bytes, slot: Slot, framing: Framing = None) -> Rendered:
        """Make the slot's derivatives, and the master if it is kept. Raises ImageUnacceptable for any bad bytes."""
        content_type = probe(content, self._accepted)
        kept = {"keep_master": self._keep_master, "keep_animation": self._keep_animation}
        task = partial(self._render, content, content_type, slot, framing, **kept)
        outcome = sandbox.run(lambda: render_to_message(task), self._limits)
        try:
            result = child_protocol.unpack(outcome.message, slot, keep_master=self._keep_master)
        except ImageUnacceptable as rejection:
            rejection.cost = outcome.cost
            raise
        derivatives = tuple((_describe(image), image.content) for image in result.images)
        return Rendered(content_type, result.width, result.height, derivatives, result.placeholder, outcome.cost)


def render_to_message(task: Task) -> bytes:
    """Render in the child and return the message for the parent.

    Decoders raise more than they document, so every exception rejects the picture.
    """
    try:
        return child_protocol.pack_result(task())
    except ImageUnacceptable as rejection:
        return child_protocol.pack_rejection(rejection.reason, rejection.detail)
    except MemoryError:
        return child_protocol.pack_rejection(Reason.TOO_COMPLEX, "needs more memory than allowed")
    except Exception as error:
        return child_protocol.pack_rejection(Reason.CORRUPT, f"{type(error).__name__}: {error}")


def _describe(image: EncodedImage) -> Derivative:
    size = len(image.content)
    return Derivative(image.name, digest(image.content), image.content_type, image.width, image.height, size)
