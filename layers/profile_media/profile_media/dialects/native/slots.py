"""The names of the slots on the wire: in JSON bodies, and in paths."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from profile_media.domain.model import Slot

type SlotName = Literal["avatar", "coverImage"]

NAMES: Mapping[Slot, SlotName] = MappingProxyType({Slot.AVATAR: "avatar", Slot.COVER_IMAGE: "coverImage"})
SLOTS: Mapping[SlotName, Slot] = MappingProxyType({name: slot for slot, name in NAMES.items()})
PATHS: Mapping[str, Slot] = MappingProxyType({"avatar": Slot.AVATAR, "cover-image": Slot.COVER_IMAGE})
"""By their names in paths."""
