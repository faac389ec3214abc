# SPDX-License-Identifier: Apache-2.0
"""Building blocks of the API models: metadata, references, documents, conditions, status.

Models are frozen and ignore unknown fields, so that an operator can read objects written for a newer one.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from eservice_operator.api.fields import (
    DateTime,
    Day,
    Line,
    Name,
    ObjectName,
    SemVer,
    Sha256,
    Title,
    Url,
    cel,
    list_map,
)

NAMED_AS_A_LABEL = cel(
    "self.metadata.name.size() <= 63 && self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
    "write a name of at most 63 of a-z, 0-9 and - with a letter or a digit at both ends",
)
"""For a kind whose names become the values of labels."""


class Model(BaseModel):
    """Base of all API models: frozen, camelCase in the cluster."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )


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

    lv: Annotated[str, StringConstraints(min_length=1, max_length=2000)] | None = None
    """The text in Latvian."""
    en: Annotated[str, StringConstraints(min_length=1, max_length=2000)] | None = None
    """The text in English."""


class LocalizedTitle(LocalizedText):
    """A title in Latvian and English: what the public is shown, on one line."""

    lv: Title | None = None
    """The title in Latvian."""
    en: Title | None = None
    """The title in English."""


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

    @property
    def place(self) -> tuple[str, str]:
        """Its namespace and name."""
        return self.namespace, self.name


class SetOnceRevocation(Model):
    """That something no longer holds, from when and why; once set it stays."""

    at: Day
    """The day from which it no longer holds."""
    reason: Line
    """Why it no longer holds; shown to the institution."""


def revoked_by(day: date, revoked: SetOnceRevocation | None) -> SetOnceRevocation | None:
    """What revoked a record, if that is so on a day; the day that the revocation names is the first."""
    return revoked if revoked is not None and revoked.at <= day else None


class ConditionStatus(StrEnum):
    """Status of a condition."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(Model):
    """A condition in the form of metav1.Condition."""

    type: Annotated[str, StringConstraints(max_length=316)]
    """What the condition speaks of, such as Ready or Published."""
    status: ConditionStatus
    """True, False, or Unknown when it could not be found out."""
    reason: Annotated[
        str,
        StringConstraints(min_length=1, max_length=1024, pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"),
    ]
    """Why, in one word for machines; the reference lists all of them."""
    message: Annotated[str, StringConstraints(max_length=4096)] = ""
    """Why, in a sentence for people."""
    last_transition_time: DateTime
    """When the status of the condition last changed."""
    observed_generation: Annotated[int, Field(ge=0)] = 0
    """The generation of the object that this was computed from."""


Conditions = Annotated[tuple[Condition, ...], Field(max_length=16, json_schema_extra=list_map("type"))]


class Status(Model):
    """What every status has."""

    observed_generation: int = -1
    """The generation last acted upon; -1 means that no operator has seen the object."""
    conditions: Conditions = ()
    """What is true of the object now. Ready is always there, Reconciling and Stalled only while they are
    True."""
