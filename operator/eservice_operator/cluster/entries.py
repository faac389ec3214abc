# SPDX-License-Identifier: Apache-2.0
"""The entries of an index: under each value the keys of the objects that have it, and mostly that is one.

An e-service has some twenty entries of its own. A set of one key takes 230 bytes, a tuple of one 60.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from eservice_operator.core.keys import ObjectKey

FEW: Final = 8
"""Keys that are kept as a tuple, which has to be gone through; more are a set."""


class Entries:
    """Keys by value; a value that no object has any more is forgotten."""

    def __init__(self) -> None:
        self._keys: dict[str, tuple[ObjectKey, ...] | set[ObjectKey]] = {}

    def add(self, value: str, key: ObjectKey) -> None:
        """The object of ``key`` has this value."""
        keys = self._keys.get(value, ())
        if isinstance(keys, set):
            keys.add(key)
        elif key not in keys:
            self._keys[value] = (*keys, key) if len(keys) < FEW else {*keys, key}

    def discard(self, value: str, key: ObjectKey) -> None:
        """It has not, or not any more."""
        keys = self._keys.get(value, ())
        if isinstance(keys, set):
            keys.discard(key)
        elif key in keys:
            keys = self._keys[value] = tuple(other for other in keys if other != key)
        if not keys:
            self._keys.pop(value, None)

    def of(self, value: str) -> Collection[ObjectKey]:
        """The keys under a value, in no particular order."""
        return self._keys.get(value, ())
