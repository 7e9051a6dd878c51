"""The fields of a form as S3 reads them: names in any case, values exact, `${filename}` filled in."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Field:
    """One field, its name spelt as it was sent."""

    name: str
    value: str


class Fields:
    """Looks fields up by name, whatever its case. A repeated field is one field, its values joined by commas."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._by_name: dict[str, Field] = {}
        for name, value in pairs:
            earlier = self._by_name.get(name.lower())
            joined = Field(earlier.name, f"{earlier.value},{value}") if earlier else Field(name, value)
            self._by_name[name.lower()] = joined

    def __iter__(self) -> Iterator[tuple[str, Field]]:
        """Every field, with its name in lower case, in the order of the form."""
        return iter(self._by_name.items())

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._by_name

    def get(self, name: str) -> str | None:
        """The value; None where the form has no such field."""
        field = self._by_name.get(name.lower())
        return field.value if field else None

    def with_filename(self, filename: str | None) -> Self:
        """Fills in `${filename}`: without its folders, or left as it stands if the file came without a name."""
        if filename is None:
            return self
        bare = filename.replace("\\", "/").rpartition("/")[2]
        return type(self)((field.name, field.value.replace("${filename}", bare)) for _, field in self)
