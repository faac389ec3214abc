# SPDX-License-Identifier: Apache-2.0
"""The kinds of the API: names, scope, and what ``kubectl get`` shows of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from eservice_operator.api.acts import AcceptanceAct, ProductionVerification
from eservice_operator.api.base import Model
from eservice_operator.api.decisions import UnpublishDecision, UnpublishDeferral
from eservice_operator.api.eservice import EService
from eservice_operator.api.identifier import EServiceIdentifier
from eservice_operator.api.registration import EServiceRegistration
from eservice_operator.api.template import EServiceTemplate


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

KINDS: tuple[Kind, ...] = (
    Kind(
        EServiceTemplate,
        "eservicetemplates",
        "esvct",
        namespaced=False,
        columns=(
            Column("Current", ".status.currentVersion"),
            Column("Enforcement", ".spec.lifecycle.enforcement"),
            Column("EServices", ".status.eServices", "integer"),
            condition("BrakeEngaged", "Brake"),
            Column("Next", ".status.nextTransition.at"),
            READY,
            Column("What", ".status.nextTransition.message", wide=True),
            AGE,
        ),
    ),
    Kind(
        EServiceRegistration,
        "eserviceregistrations",
        "esvcr",
        namespaced=False,
        columns=(
            Column("Identifier", ".status.identifier"),
            Column("Institution", ".spec.institution.name"),
            condition("Registered"),
            condition("Registered", "Reason", "reason"),
            Column("Title", ".spec.title.lv", wide=True),
            condition("Registered", "Message", "message", wide=True),
            AGE,
        ),
    ),
    Kind(
        EService,
        "eservices",
        "esvc",
        namespaced=True,
        columns=(
            Column("Phase", ".status.phase"),
            condition("Published"),
            condition("Published", "Why", "reason"),
            Column("Template", ".status.template.version"),
            Column("Migrate by", ".status.template.migrateBy"),
            Column("Unpublish at", ".status.template.unpublishAt"),
            Column("Held by", ".status.template.heldBy"),
            Column("URL", ".status.publicURL"),
            Column("Environment", ".spec.environment", wide=True),
            Column("Identifier", ".status.identifier", wide=True),
            Column("Ready", READY.path, wide=True),
            condition("Published", "Message", "message", wide=True),
            AGE,
        ),
        selectable=(".status.phase", ".spec.environment"),
    ),
    Kind(
        AcceptanceAct,
        "acceptanceacts",
        "act",
        namespaced=False,
        also=("acts",),
        columns=(
            Column("Service namespace", ".spec.eService.namespace"),
            Column("EService", ".spec.eService.name"),
            Column("Template", ".spec.template.version"),
            Column("Signed", ".spec.signedAt"),
            READY,
            REASON,
            Column("Image", ".spec.image", wide=True),
            MESSAGE,
            AGE,
        ),
    ),
    Kind(
        ProductionVerification,
        "productionverifications",
        "pverif",
        namespaced=True,
        columns=(
            Column("EService", ".spec.eService"),
            Column("Outcome", ".spec.outcome"),
            Column("Template", ".spec.template.version"),
            Column("Verified at", ".spec.verifiedAt"),
            Column("By", ".spec.verifiedBy"),
            REASON,
            Column("Image", ".spec.image", wide=True),
            MESSAGE,
            AGE,
        ),
    ),
    Kind(
        UnpublishDeferral,
        "unpublishdeferrals",
        "deferral",
        namespaced=False,
        also=("deferrals",),
        columns=(
            Column("Service namespace", ".spec.eService.namespace"),
            Column("EService", ".spec.eService.name"),
            Column("Until", ".spec.until"),
            READY,
            REASON,
            Column("Approved by", ".spec.approvedBy", wide=True),
            MESSAGE,
            AGE,
        ),
    ),
    Kind(
        UnpublishDecision,
        "unpublishdecisions",
        "decision",
        namespaced=False,
        also=("decisions",),
        columns=(
            Column("Service namespace", ".spec.eService.namespace"),
            Column("EService", ".spec.eService.name"),
            Column("Version", ".spec.release.template.version"),
            Column("Overdue since", ".spec.overdueSince"),
            Column("State", ".status.state"),
            Column("Due (UTC)", ".status.effectiveAt"),
            Column("Reason", ".status.reason"),
            Column("Message", ".status.message", wide=True),
            AGE,
        ),
        selectable=(".status.state",),
    ),
    Kind(
        EServiceIdentifier,
        "eserviceidentifiers",
        "esvcid",
        namespaced=False,
        columns=(
            Column("Identifier", ".spec.identifier"),
            Column("Registration", ".spec.registration"),
            AGE,
        ),
    ),
)

BY_KIND: dict[str, Kind] = {kind.kind: kind for kind in KINDS}
