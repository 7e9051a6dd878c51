"""What is to be made of a picture: the three jobs that everyone is given."""

from dataclasses import dataclass
from types import MappingProxyType

from profile_media.domain.model import MASTER, Slot
from profile_media.domain.policy import MASTER_SIDE, SIZES, Size


@dataclass(frozen=True)
class Job:
    """The derivatives of a slot, with or without the master."""

    name: str
    slot: Slot
    master: bool = False

    @property
    def sizes(self) -> tuple[Size, ...]:
        return SIZES[self.slot]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(size.name for size in self.sizes) + ((MASTER,) if self.master else ())

    def said(self, master_side: int = MASTER_SIDE) -> dict[str, object]:
        """The job for those who do not read Python."""
        sizes = [{"width": size.width, "height": size.height} for size in self.sizes]
        return {"name": self.name, "sizes": sizes, "names": self.names, "master": master_side if self.master else None}


JOBS = MappingProxyType(
    {
        "A": Job("A", Slot.AVATAR),
        "B": Job("B", Slot.COVER_IMAGE),
        "C": Job("C", Slot.AVATAR, master=True),
    }
)
