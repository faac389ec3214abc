# SPDX-License-Identifier: Apache-2.0
"""EServiceIdentifier: a number that belongs to a registration for good (R1)."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict

from eservice_operator.api.base import Model, ObjectMeta, Status
from eservice_operator.api.fields import ObjectName, cel, rules, text

Identifier = Annotated[str, text(r"^EP-[0-9]{6}$", "write EP- and six digits, such as EP-000042", most=9)]
"""The number of an e-service, such as EP-000042."""


class EServiceIdentifierSpec(Model):
    """A number that belongs to a registration name for good."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                "self == oldSelf",
                "an identifier never changes: it belongs to one registration for good, leave it",
            )
        )
    )

    identifier: Identifier
    """The number, such as EP-000042."""
    registration: ObjectName
    """Name of the registration it belongs to, also after that was deleted."""


class EServiceIdentifier(Model):
    """A number of an e-service, made once by the operator and never deleted."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                "self.metadata.name == 'ep-' + self.spec.identifier.substring(3)",
                "the name must be the identifier in lower case, such as ep-000042",
            )
        )
    )

    metadata: ObjectMeta
    spec: EServiceIdentifierSpec
    status: Status = Status()
