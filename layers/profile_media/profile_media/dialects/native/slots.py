"""The names of the slots on the wire."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from profile_media.domain.model import Slot

type SlotName = Literal["avatar", "coverImage"]

NAMES: Mapping[Slot, SlotName] = MappingProxyType({Slot.AVATAR: "avatar", Slot.COVER_IMAGE: "coverImage"})
SLOTS: Mapping[SlotName, Slot] = MappingProxyType({name: slot for slot, name in NAMES.items()})
