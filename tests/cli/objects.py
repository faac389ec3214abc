# SPDX-License-Identifier: Apache-2.0
"""Objects as kubectl prints them, for what only shows them."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from eservice_operator.cli.dated import Days
from eservice_operator.cli.dossier import Dossier

NOW = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
RIGA = ZoneInfo("Europe/Riga")
DAYS = Days(NOW, RIGA)
API = "eservice.dev/v1alpha1"
DIGEST = "sha256:" + "a" * 64
IMAGE = f"registry.example/vid/tax-calculator@{DIGEST}"
TEMPLATE = {"name": "viss-2020", "version": "2.0.0"}
NEWER = {"name": "viss-2020", "version": "3.1.0"}
ESCAPES = "\x1b[31mred\x1b]0;title\x07 \x9b2J \u202eevil\u2066"


def obj(kind: str, name: str, namespace: str = "", **content: Any) -> dict[str, Any]:
    metadata = {"name": name, "uid": f"uid-{name}", "resourceVersion": "1", "generation": 2}
    metadata |= {"creationTimestamp": "2026-11-01T08:00:00Z"}
    metadata |= {"namespace": namespace} if namespace else {}
    return {"apiVersion": API, "kind": kind, "metadata": metadata, **content}


def service(name: str, namespace: str, phase: str | None, **status: Any) -> dict[str, Any]:
    """An EService in Production with this status."""
    published = "True" if phase == "Published" else "False"
    condition = {"type": "Published", "status": published, "reason": phase or "Unknown", "message": ""}
    seen = {"observedGeneration": 2, "phase": phase, "conditions": [condition], **status} if phase else {}
    spec = {
        "registration": name,
        "environment": "Production",
        "template": dict(TEMPLATE),
        "release": {"image": IMAGE},
        "publication": {"hosts": [f"{name}.latvija.example"]},
        "productionRequest": {"requestedAt": "2026-11-16", "requestedBy": "Māra Liepa"},
    }
    return obj("EService", name, namespace, spec=spec, status=seen)


def fleet() -> list[dict[str, Any]]:
    """E-services of which each is another case."""
    soon = {
        "template": TEMPLATE | {"migrateBy": "2027-02-02", "unpublishAt": "2027-04-01"},
        "next": {"action": "MigrationDue", "at": "2027-02-02T22:00:00Z", "why": "R7"},
        "identifier": "EP-000003",
        "publicURL": "https://tax.latvija.example/",
    }
    off = {
        "template": TEMPLATE | {"migrateBy": "2026-10-01", "unpublishAt": "2026-11-22"},
        "identifier": "EP-000001",
    }
    waiting = {
        "template": dict(NEWER),
        "gates": [
            gate("Accepted", "AwaitingAcceptance", "Agency", "R2", "no AcceptanceAct for this release"),
            gate("Installed", "AwaitingInstallation", "Operator", "R5", "not installed yet", "Publish"),
        ],
        "next": {"action": "InstallationOverdue", "at": "2026-12-01T22:00:00Z", "why": "R5"},
    }
    return [
        service("tax-calculator", "vid-production", "Published", **soon),
        service("address-declaration", "pmlp-production", "Unpublished", **off),
        service("company-extract", "ur-production", "Pending", **waiting),
        service("unseen", "ur-production", None),
    ]


def gate(
    name: str, reason: str, owner: str, rule: str, message: str, blocks: str = "Install"
) -> dict[str, Any]:
    since = "2026-11-20T09:00:00Z"
    told = {"gate": name, "reason": reason, "owner": owner, "rule": rule, "message": message}
    return told | {"blocks": blocks, "since": since}


def notice(kind: str, state: str, **fields: Any) -> dict[str, Any]:
    told = {"id": "0" * 32, "kind": kind, "channel": "Email", "recipient": "mara.liepa@vid.example"}
    told |= {"entered": "2026-11-21T07:00:04Z", "at": "2026-11-21T07:00:05Z"}
    return told | {"state": state, "audience": "Institution", **fields}


def decision(**status: Any) -> dict[str, Any]:
    spec = {
        "eService": {"namespace": "vid-production", "name": "tax-calculator"},
        "registration": "tax-calculator",
        "environment": "Production",
        "release": {"image": IMAGE, "template": dict(TEMPLATE)},
        "causedBy": "3.1.0",
        "maximumLag": "P18M",
        "lagMeasure": "ReleaseGap",
        "overdueSince": "2026-11-21",
        "effectiveAt": "2026-11-21T07:00:00Z",
        "decidedAt": "2026-11-21T07:00:00Z",
        "inputsHash": "0" * 16,
    }
    return obj("UnpublishDecision", "tax-calculator-production-001", spec=spec, status=status)


def dossier(text: str = "annual returns are filed from 1 March") -> Dossier:
    """An e-service to which everything has happened; ``text`` is what people wrote."""
    history = [
        {"at": "2026-11-18T09:00:00Z", "phase": "Pending", "reason": "AwaitingAcceptance"},
        {"at": "2026-11-19T08:00:00Z", "phase": "AwaitingVerification", "reason": "AwaitingVerification"},
        {"at": "2026-11-20T09:31:00Z", "phase": "Published", "reason": "Published"},
    ]
    body = service(
        "tax-calculator",
        "vid-production",
        "Published",
        identifier="EP-000003",
        publicURL="https://tax.latvija.example/",
        release={"public": {"name": "0123456789", "image": IMAGE, "template": dict(TEMPLATE)}},
        template=TEMPLATE
        | {
            "migrateBy": "2027-02-02",
            "overdueSince": "2026-11-21",
            "unpublishAt": "2027-04-01",
            "decision": "tax-calculator-production-001",
        },
        installation={"dueBy": "2026-12-01", "installedAt": "2026-11-19T08:00:00Z"},
        history=history,
        gates=[gate("Catalogued", "CatalogueIncomplete", "Institution", "R4", text, "Publish")],
        next={"action": "Unpublish", "at": "2027-03-31T21:00:00Z", "why": "deferred"},
        notices=[notice("MigrationDue", "Failed", error=text)],
    )
    contacts = [{"name": name, "email": f"{name}@vid.example"} for name in ("mara.liepa", "help")]
    registration = {
        "title": {"lv": "Nodokļu kalkulators"},
        "institution": {"name": "Valsts ieņēmumu dienests", "contacts": contacts},
    }
    deferral = {"until": "2027-03-31", "reason": text, "approvedBy": "Ilze Krūmiņa", "ticket": "AG-1187"}
    verification = {"eService": "tax-calculator", "image": IMAGE, "template": dict(TEMPLATE)}
    verification |= {"outcome": "Passed", "verifiedAt": "2026-11-20T09:30:00Z", "verifiedBy": "Māra Liepa"}
    act: dict[str, Any] = {"image": IMAGE, "template": dict(TEMPLATE), "signedAt": "2026-11-16"}
    act |= {"signatories": [{"organisation": "Agency", "name": "Ilze Krūmiņa"}]}
    lifecycle = {"enforcement": "Enforce", "lagMeasure": "ReleaseGap", "maximumLag": "P18M"}
    lifecycle |= {"noticePeriod": "P0D"}
    return Dossier(
        service=body,
        registration=obj("EServiceRegistration", "tax-calculator", spec=registration),
        template=obj(
            "EServiceTemplate", "viss-2020", spec={"lifecycle": lifecycle}, status={"currentVersion": "3.1.0"}
        ),
        decisions=(
            decision(
                state="Scheduled",
                reason="Deferred",
                message="deferred until 2027-03-31, that day included",
                effectiveAt="2027-03-31T21:00:00Z",
                deferredUntil="2027-03-31",
                informedAt="2026-11-21T07:00:05Z",
                notices=[notice("UnpublishScheduled", "Sent", due="2027-04-01")],
            ),
        ),
        deferrals=(obj("UnpublishDeferral", "tax-2027", spec=deferral),),
        acts=(obj("AcceptanceAct", "tax-2026-11", spec=act),),
        verifications=(obj("ProductionVerification", "tax-1", "vid-production", spec=verification),),
    )
