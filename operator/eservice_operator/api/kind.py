# SPDX-License-Identifier: Apache-2.0
"""What a kind is to kubectl: its names, its scope, and the columns that ``kubectl get`` shows of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from eservice_operator.api.base import Model


@dataclass(frozen=True, slots=True)
class Column:
    """A printer column; ``wide`` ones show with ``-o wide``."""

    name: str
    path: str
    type: str = "string"
    wide: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: the model is both its schema and what the operator parses."""

    model: type[Model]
    plural: str
    short: str
    namespaced: bool
    also: tuple[str, ...] = ()
    """Further short names."""
    columns: tuple[Column, ...] = ()
    selectable: tuple[str, ...] = field(default=())

    @property
    def kind(self) -> str:
        """The kind's name."""
        return self.model.__name__

    @property
    def singular(self) -> str:
        """The name in the singular, as typed to kubectl."""
        return self.kind.lower()


def condition(name: str, column: str = "", part: str = "status", *, wide: bool = False) -> Column:
    """A column that shows a part of a condition."""
    return Column(column or name, f'.status.conditions[?(@.type=="{name}")].{part}', wide=wide)


AGE = Column("Age", ".metadata.creationTimestamp", "date")
READY = condition("Ready")
REASON = condition("Ready", "Reason", "reason")
MESSAGE = condition("Ready", "Message", "message", wide=True)
