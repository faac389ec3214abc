# SPDX-License-Identifier: Apache-2.0
"""Whether the cluster already has what a manifest says: the write that is not needed is not sent.

The API server adds defaults and rewrites quantities, so the question is not equality: every field of the
desired manifest has to be in the observed object with the same value, and what else is there does not matter.
(A field that a manifest no longer has is noticed by the builders' manifest annotation, a field that somebody
else added by the object's managed fields.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple

NAMING: Final = frozenset({"apiVersion", "kind", "metadata", "status"})
SHOWN: Final = 80
"""Characters of a value that a message shows."""
CONCEALED: Final = frozenset({"value", "data", "binaryData", "stringData"})
"""Fields whose values may be somebody's secret: a message says that they differ, not how."""
QUANTITIES: Final = frozenset({"requests", "limits"})
"""Maps of quantities, inside ``resources``."""
QUANTITY: Final = frozenset({"sizeLimit", "divisor", "averageValue"})
SUFFIXES: Final = {
    **{
        suffix: Decimal(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)
    },
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
    **{suffix: Decimal(1000) ** -power for power, suffix in enumerate(("m", "u", "n"), 1)},
    "": Decimal(1),
}
LIST: Final = (list, tuple)
NUMBER: Final = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([A-Za-z]*)")


class _Difference(NamedTuple):
    """Where (from the outermost), what is there and what should be."""

    path: tuple[str, ...]
    have: Any
    want: Any


def first_difference(desired: Mapping[str, Any], observed: Mapping[str, Any]) -> str | None:
    """The first field of ``desired`` that ``observed`` does not have so, as a sentence; None: nothing to do.

    ``spec.template.spec.containers[0].image: have "a", want "b"``. Compared are labels, annotations, owner
    references (by uid), finalizers, and everything outside ``metadata`` and ``status``. Lists have to be as
    long and to match item by item; missing equals empty (null, "", [], {}, false, 0): the API server leaves
    such values out unless its default is another one. Quantities of resources compare by value.
    """
    difference = _metadata(desired.get("metadata") or {}, observed.get("metadata") or {})
    if difference is None:
        wanted = {key: value for key, value in desired.items() if key not in NAMING}
        difference = _mapping(wanted, observed)
    return None if difference is None else _sentence(difference)


def _metadata(desired: Mapping[str, Any], observed: Mapping[str, Any]) -> _Difference | None:
    compared = {key: desired[key] for key in ("labels", "annotations") if key in desired}
    difference = _mapping(compared, observed)
    if difference is not None:
        return _under("metadata", difference)
    have = {reference["uid"]: reference for reference in observed.get("ownerReferences") or ()}
    for reference in desired.get("ownerReferences") or ():
        difference = _value("", reference, have.get(reference["uid"]))
        if difference is not None:
            return _under("metadata", _under("ownerReferences", difference))
    for finalizer in desired.get("finalizers") or ():
        if finalizer not in (observed.get("finalizers") or ()):
            return _Difference(("metadata", "finalizers"), None, finalizer)
    return None


def _mapping(desired: Mapping[str, Any], observed: Mapping[str, Any], parent: str = "") -> _Difference | None:
    amounts = parent in QUANTITIES
    for key, want in desired.items():
        have = observed.get(key)
        if have == want:
            continue
        if amounts or key in QUANTITY:
            if not _same_quantity(have, want):
                return _Difference((key,), have, want)
            continue
        difference = _value(key, want, have)
        if difference is not None:
            return _under(key, difference)
    return None


def _value(key: str, want: Any, have: Any) -> _Difference | None:
    if _is_empty(want) and _is_empty(have):
        return None
    if isinstance(want, dict) and (have is None or isinstance(have, dict)):
        return _mapping(want, have or {}, key)
    if isinstance(want, LIST) and isinstance(have, LIST):
        return _sequence(want, have)
    return None if have == want else _Difference((), have, want)


def _sequence(desired: Sequence[Any], observed: Sequence[Any]) -> _Difference | None:
    if len(desired) != len(observed):
        return _Difference((), list(observed), list(desired))
    for position, (want, have) in enumerate(zip(desired, observed, strict=True)):
        difference = _value("", want, have)
        if difference is not None:
            return _under(f"[{position}]", difference)
    return None


def _is_empty(value: Any) -> bool:
    """What the API server may leave out when it is said, and never leaves out when its default is another."""
    return not value


def _same_quantity(have: Any, want: Any) -> bool:
    amount = quantity(have)
    return have == want if amount is None else amount == quantity(want)


def quantity(value: Any) -> Decimal | None:
    """The amount that a Kubernetes quantity (``500m``, ``1Gi``, ``0.5``, 2) stands for; None: it is none."""
    match = NUMBER.fullmatch(str(value))
    if match is None or match[2] not in SUFFIXES:
        return None
    try:
        return Decimal(match[1]) * SUFFIXES[match[2]]
    except InvalidOperation:
        return None


def _under(key: str, difference: _Difference) -> _Difference:
    return _Difference((key, *difference.path), difference.have, difference.want)


def _sentence(difference: _Difference) -> str:
    path = "".join(part if part.startswith("[") else f".{part}" for part in difference.path).removeprefix(".")
    if not CONCEALED.isdisjoint(difference.path):
        return f"{path}: differs"
    return f"{path}: have {_shown(difference.have)}, want {_shown(difference.want)}"


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
