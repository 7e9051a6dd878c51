"""Build ICC profiles of colours that a file describes by numbers, so that one code path converts all colours."""

import struct
from collections.abc import Callable
from types import MappingProxyType
from typing import NamedTuple

PQ, HLG = 16, 18
HIGH_RANGE = frozenset({PQ, HLG})
"""The transfer characteristics of high dynamic range, by their numbers in ITU-T H.273."""


class CodedColours(NamedTuple):
    """Colours that a file states as numbers of ITU-T H.273, in a `colr` box or a cICP chunk."""

    primaries: int
    transfer: int


type Curve = Callable[[float], float]
"""From a channel's value to its linear intensity, both 0 to 1."""

type Columns = tuple[tuple[float, float, float], ...]
"""The XYZ coordinates of red, green and blue, adapted to the white point D50."""

_D50 = (0.9642, 1.0, 0.82491)
_SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
_COLUMNS = MappingProxyType(
    {
        9: ((0.67348, 0.27904, -0.00193), (0.16567, 0.67535, 0.02998), (0.12506, 0.04561, 0.79686)),  # BT.2020
        12: ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)),  # Display P3
    }
)
"""By primaries. All others are taken for sRGB, as browsers do."""

_CURVE_POINTS = 4096


def coded_profile(coded: CodedColours) -> bytes | None:
    """Return a profile of coded colours; None for sRGB and for numbers that browsers take for it."""
    columns, curve = _COLUMNS.get(coded.primaries, _SRGB), _CURVES.get(coded.transfer, decode_srgb)
    return None if columns is _SRGB and curve is decode_srgb else _build(columns, curve)


def gamma_profile(exponent: float) -> bytes:
    """Return a profile of sRGB's primaries and a power function."""
    return _build(_SRGB, lambda value: value**exponent)


def decode_srgb(value: float) -> float:
    """Return the linear intensity of a value of sRGB, both 0 to 1."""
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


_CURVES: MappingProxyType[int, Curve] = MappingProxyType(
    {4: lambda value: value**2.2, 5: lambda value: value**2.8, 8: lambda value: value}
)
"""By transfer characteristics. All others are taken for sRGB, as browsers do."""


def _build(columns: Columns, curve: Curve) -> bytes:
    """Return a profile of three columns and one curve, which the three channels share."""
    last = _CURVE_POINTS - 1
    points = (round(65535 * curve(at / last)) for at in range(_CURVE_POINTS))
    table = b"curv\0\0\0\0" + struct.pack(f"!I{_CURVE_POINTS}H", _CURVE_POINTS, *points)
    values = dict(zip((b"rXYZ", b"gXYZ", b"bXYZ", b"wtpt"), (*columns, _D50), strict=True))
    count = len(values) + 3
    data, tags, start = b"", struct.pack("!I", count), 132 + 12 * count
    for name, coordinates in values.items():
        tags += name + struct.pack("!II", start + len(data), 20)
        data += b"XYZ \0\0\0\0" + _fixed(*coordinates)
    for name in (b"rTRC", b"gTRC", b"bTRC"):
        tags += name + struct.pack("!II", start + len(data), len(table))
    size = start + len(data) + len(table)
    # Size, version 2.1, a display profile from RGB to XYZ, signature, illuminant.
    head = struct.pack("!I4xI12s12x4s28x12s48x", size, 0x02100000, b"mntrRGB XYZ ", b"acsp", _fixed(*_D50))
    return head + tags + data + table


def _fixed(*numbers: float) -> bytes:
    return b"".join(struct.pack("!i", round(number * 65536)) for number in numbers)
