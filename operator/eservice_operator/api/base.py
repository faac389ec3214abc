# SPDX-License-Identifier: Apache-2.0
"""Building blocks of the API models: bounded strings, references, documents, conditions.

Every string and list is bounded: the bounds keep objects small and let the apiserver estimate the cost
of the CEL rules. Models are frozen and ignore unknown fields, so that an operator can read objects
written for a newer one.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic.alias_generators import to_camel


class Model(BaseModel):
    """Base of all API models: frozen, camelCase in the cluster."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )


def cel(rule: str, message: str, **more: Any) -> dict[str, Any]:
    """One CEL validation; ``message`` says what to write instead."""
    return {"rule": rule, "message": message, **more}


def rules(*validations: dict[str, Any]) -> dict[str, Any]:
    """Schema extension that holds CEL validations."""
    return {"x-kubernetes-validations": list(validations)}


def list_map(*keys: str) -> dict[str, Any]:
    """Schema extension for a list whose items are told apart by ``keys``."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}


LIST_SET: dict[str, Any] = {"x-kubernetes-list-type": "set"}
LIST_ATOMIC: dict[str, Any] = {"x-kubernetes-list-type": "atomic"}

SEMVER_PATTERN = (
    r"^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)"
    r"(-(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?$"
)

Name = Annotated[
    str, StringConstraints(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
]
"""A DNS label."""
ObjectName = Annotated[
    str, StringConstraints(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")
]
"""A DNS subdomain: the name of any object."""
Host = Annotated[
    str,
    StringConstraints(
        min_length=3,
        max_length=253,
        pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$",
    ),
]
"""A host name in lower case, without a port or a wildcard."""
HostPattern = Annotated[
    str,
    StringConstraints(
        min_length=3,
        max_length=253,
        pattern=r"^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$",
    ),
]
"""A host name, or ``*.`` and a domain: any single label before it."""
Url = Annotated[str, StringConstraints(max_length=2048, pattern=r"^https?://[^\s]+$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$", max_length=64)]
Image = Annotated[str, StringConstraints(min_length=1, max_length=512, pattern=r"^[^\s]+$")]
"""An image reference; in Production it must end in ``@sha256:<digest>``."""
DigestImage = Annotated[
    str, StringConstraints(min_length=1, max_length=512, pattern=r"^[^\s@]+@sha256:[0-9a-f]{64}$")
]
"""An image reference that names its content by digest."""
SemVer = Annotated[str, StringConstraints(min_length=5, max_length=64, pattern=SEMVER_PATTERN)]
"""A SemVer 2.0 version without build metadata (which has no place in the order)."""
Duration = Annotated[
    str,
    StringConstraints(max_length=32, pattern=r"^P([0-9]+Y)?([0-9]+M)?([0-9]+W)?([0-9]+D)?$", min_length=3),
]
"""An ISO 8601 duration of whole years, months, weeks and days, such as ``P18M``."""
Short = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=512)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
Message = Annotated[str, StringConstraints(max_length=4096)]
Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s,;<>]+@[^@\s,;<>]+$")]
Phone = Annotated[str, StringConstraints(max_length=32, pattern=r"^[+0-9 ()-]+$")]
Date = dt.date
DateTime = AwareDatetime
Quantity = Annotated[
    int | str,
    WithJsonSchema(
        {
            "x-kubernetes-int-or-string": True,
            "pattern": r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$",
            "maxLength": 32,
        }
    ),
]
"""A Kubernetes quantity such as ``500m`` or ``1Gi``."""


class ObjectMeta(Model):
    """The metadata we read of an object."""

    name: str
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    creation_timestamp: DateTime | None = None
    deletion_timestamp: DateTime | None = None
    finalizers: tuple[str, ...] = ()
    labels: dict[str, str] = Field(default_factory=dict)


class Environment(StrEnum):
    """Where an e-service runs; the rules R2 to R8 bind Production."""

    TEST = "Test"
    ACCEPTANCE = "Acceptance"
    PRODUCTION = "Production"


class LocalizedText(Model):
    """A text in Latvian and English."""

    lv: Annotated[str, StringConstraints(max_length=2000)] | None = None
    """The text in Latvian."""
    en: Annotated[str, StringConstraints(max_length=2000)] | None = None
    """The text in English."""


class SignedDocument(Model):
    """A document kept elsewhere, pinned by its digest."""

    url: Url
    """Where the document is kept; never fetched by the operator."""
    sha256: Sha256
    """SHA-256 of the document, 64 hexadecimal digits in lower case."""


class TemplateRef(Model):
    """A version of an EServiceTemplate."""

    name: ObjectName
    """Name of the EServiceTemplate."""
    version: SemVer
    """One of its versions, such as 3.0.0."""


class EServiceRef(Model):
    """An EService in a namespace."""

    namespace: Name
    """Namespace of the EService."""
    name: Name
    """Name of the EService."""


class SetOnceRevocation(Model):
    """That something no longer holds, from when and why; once set it stays."""

    at: Date
    """The day from which it no longer holds."""
    reason: Line
    """Why; shown to the institution."""


class ConditionStatus(StrEnum):
    """Status of a condition."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(Model):
    """A condition in the form of metav1.Condition."""

    type: Annotated[str, StringConstraints(max_length=316)]
    """What the condition speaks of."""
    status: ConditionStatus
    """True, False or Unknown."""
    reason: Annotated[
        str,
        StringConstraints(min_length=1, max_length=1024, pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"),
    ]
    """One word for machines; the documented list is in the reference."""
    message: Annotated[str, StringConstraints(max_length=4096)] = ""
    """A sentence for people."""
    last_transition_time: DateTime
    """When the status last changed."""
    observed_generation: Annotated[int, Field(ge=0)] = 0
    """The generation of the object that this was computed from."""


Conditions = Annotated[tuple[Condition, ...], Field(max_length=16, json_schema_extra=list_map("type"))]


class Status(Model):
    """What every status has."""

    observed_generation: int = -1
    """The generation last acted upon; -1 means that no operator has seen the object."""
    conditions: Conditions = ()
    """Ready always; Reconciling and Stalled only while True; the rest by kind."""
