"""The fields of an HTML form, read as S3 reads them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `name` is spelled as the client sent it."""

    name: str
    value: str


class Fields:
    """Look fields up by name, in any case. S3 joins the values of a repeated field with commas."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._by_name: dict[str, Field] = {}
        for name, value in pairs:
            earlier = self._by_name.get(name.lower())
            joined = Field(earlier.name, f"{earlier.value},{value}") if earlier else Field(name, value)
            self._by_name[name.lower()] = joined

    def __iter__(self) -> Iterator[tuple[str, Field]]:
        """Iterate over (lower-case name, field), in the order of the form."""
        return iter(self._by_name.items())

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._by_name

    def get(self, name: str) -> str | None:
        """Return the value of a field, or None if the form does not have it."""
        field = self._by_name.get(name.lower())
        return field.value if field else None

    def with_filename(self, filename: str | None) -> Self:
        """Replace `${filename}` with the last path segment of the file's name, if the file has a name."""
        if filename is None:
            return self
        name = filename.replace("\\", "/").rpartition("/")[2]
        return type(self)((field.name, field.value.replace("${filename}", name)) for _, field in self)
