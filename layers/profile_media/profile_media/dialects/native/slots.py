"""What slots are called on the wire."""

from types import MappingProxyType

from profile_media.domain.model import Slot

NAMES = MappingProxyType({Slot.AVATAR: "avatar", Slot.COVER_IMAGE: "coverImage"})
SLOTS = MappingProxyType({name: slot for slot, name in NAMES.items()})
