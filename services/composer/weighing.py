"""Weights tilted by an exponent, as integers that are the same on every machine.

:mod:`decimal` rounds correctly everywhere, unlike the exponentials of C libraries.
"""

from decimal import Context, Decimal
from functools import lru_cache
from typing import Final

_EXACT: Final = Context(prec=20)
_MILLION: Final = Decimal(1_000_000)


@lru_cache(maxsize=4096)
def tilted(weight: int, millionths: int, temperature: int = 1000) -> int:
    """``(weight · e^(millionths / 10⁶)) ^ (1000 / temperature)``, rounded up; 0 stays 0."""
    if not weight:
        return 0
    exponent = _EXACT.add(_EXACT.ln(Decimal(weight)), _EXACT.divide(Decimal(millionths), _MILLION))
    return 1 + int(_EXACT.exp(_EXACT.divide(exponent, _EXACT.divide(Decimal(temperature), Decimal(1000)))))
