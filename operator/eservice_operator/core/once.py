# SPDX-License-Identifier: Apache-2.0
"""Properties that are worked out when they are first asked for, and kept with their object.

`functools.cached_property` takes a lock for that up to Python 3.11, in each first access. A decision makes
some thirty of them, of facts that follow from frozen values: whoever works one out twice finds the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


class once(Generic[T]):  # noqa: N801 - a decorator beside `property`
    """As `cached_property` is from Python 3.12 on; for classes without ``__slots__``."""

    def __init__(self, find: Callable[[Any], T]) -> None:
        self._find = find
        self._name = find.__name__
        self.__doc__ = find.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object, owner: type) -> T | Self:
        if instance is None:
            return self
        found = instance.__dict__[self._name] = self._find(instance)
        return found
