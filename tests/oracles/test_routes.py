# SPDX-License-Identifier: Apache-2.0
"""The oracle of public routes can fail: past the instant, and where a decision rests on no cause."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from eservice_operator.api.base import TemplateRef
from eservice_operator.core.actions import Manifest
from eservice_operator.core.releases import release_name
from tests.oracles.court import NOW, Court, own, said
from tests.support.oracles.routes import NothingPublicPastItsInstant

USED = {"name": "viss", "version": "1.0.0"}
IMAGE = f"registry.example/address@sha256:{'a' * 64}"


def decision(due: datetime, state: str = "Scheduled", reason: str = "", **spec: Any) -> Manifest:
    recorded = [{"version": "1.0.0", "released": "2024-02-01", "published": "2024-03-01"}]
    facts = {
        "eService": {"namespace": "pmlp", "name": "address"},
        "release": {"image": IMAGE, "template": USED},
        "maximumLag": "P18M",
        "lagMeasure": "ReleaseGap",
        "inputs": {"versions": recorded},
        "effectiveAt": due.isoformat(),
    }
    status = {"observedGeneration": 1, "state": state, "effectiveAt": due.isoformat()}
    told = status | ({"reason": reason} if reason else {})
    return own("UnpublishDecision", "address-1", spec=facts | spec, status=told)


def template(released: str = "2024-02-01", version: str = "1.0.0", **lifecycle: Any) -> Manifest:
    """The one that `decision` names; by default as that has recorded it."""
    instruction = {"published": "2024-03-01"}
    entry = {"version": version, "released": released, "migrationInstruction": instruction}
    body = own("EServiceTemplate", "viss", spec={"versions": [entry], "lifecycle": lifecycle})
    del body["metadata"]["namespace"]
    return body


def wants(version: str) -> Manifest:
    """The EService, and the template version that it names."""
    body = own(spec={"template": USED | {"version": version}})
    body["metadata"]["namespace"] = "pmlp"
    return body


def serves(release: str) -> Manifest:
    """The Service that the route leads to, and the release that it serves."""
    metadata = {"name": "address", "namespace": "pmlp"}
    spec = {"selector": {"eservice.dev/release": release}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def route(kind: str = "HTTPRoute", service: str = "address") -> Manifest:
    backend: Manifest = {"backendRefs": [{"namespace": "pmlp", "name": service}]}
    if kind == "Ingress":
        backend = {"http": {"paths": [{"backend": {"service": {"name": service}}}]}}
    metadata = {"name": "pmlp.address", "namespace": "pmlp" if kind == "Ingress" else "eservice-routes"}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": {"rules": [backend]}}


@pytest.mark.parametrize("kind", ["HTTPRoute", "Ingress"])
@pytest.mark.parametrize("state", ["Scheduled", "Effective"])
def test_a_route_past_the_instant_is_told(kind: str, state: str) -> None:
    court = Court(NothingPublicPastItsInstant(lambda: NOW))
    court.tell(decision(NOW - timedelta(seconds=1), state), route(kind))
    said(court.later(), f"{kind} ")


DECIDED = release_name(IMAGE, TemplateRef.model_validate(USED))
REVOKED: Manifest = {"revoked": {"at": "2026-11-20", "reason": "a mistake"}}
CAUSES: dict[str, tuple[list[Manifest], list[Manifest]]] = {
    "ClockSkew": ([template()], []),
    "TemplateUnknown": ([template(version="2.0.0")], [template()]),
    "NotEnforced": ([template(enforcement="Warn")], [template(enforceFrom="2026-11-23")]),
    "NoLongerOverdue": ([template("2025-02-01")], [template(maximumLag="P18M")]),
    "RenewalUnderWay": ([template(), wants("3.0.0")], [template(), wants("1.0.0")]),
    "Brake": ([template(brake={"atLeast": 1})], [template(brake={"atLeast": 2})]),
}
"""Reasons for a hold: what is there when one is due, and what is there without a cause for it."""


def other(number: int) -> Manifest:
    """A decision about another e-service on the same template."""
    body = decision(NOW, "Effective", eService={"namespace": "pmlp", "name": f"other-{number}"})
    body["metadata"]["name"] = f"other-{number}"
    return body


def past(state: str, reason: str, *there: Manifest, days: int = 1, **spec: Any) -> list[str]:
    """What is said of a route past its instant, whose decision is in that state."""
    court = Court(NothingPublicPastItsInstant(lambda: NOW))
    court.tell(*there, other(1), decision(NOW - timedelta(days=days), state, reason, **spec), route())
    return court.later()


@pytest.mark.parametrize("reason", CAUSES)
def test_a_decision_that_is_held_for_a_cause_takes_nothing_off(reason: str) -> None:
    assert not past("Held", reason, *CAUSES[reason][0])


@pytest.mark.parametrize("reason", [reason for reason, (_, without) in CAUSES.items() if without])
def test_one_that_is_held_for_what_nobody_sees_is_told(reason: str) -> None:
    said(past("Held", reason, *CAUSES[reason][1]), f"address-1, Held ({reason}) without a cause")


def test_nobody_is_told_for_a_while() -> None:
    assert not past("Held", "NoticeUndelivered", template())
    said(past("Held", "NoticeUndelivered", template(), days=6), "without a cause")


def test_a_brake_that_froze_a_set_holds_it_when_it_lets_more_pass() -> None:
    court = Court(NothingPublicPastItsInstant(lambda: NOW))
    held = decision(NOW - timedelta(days=1), "Held", "Brake")
    court.tell(template(brake={"atLeast": 1}), other(1), held, route())
    assert not court.later()
    court.tell(template(brake={"atLeast": 9}))
    court.end(other(1))
    assert not court.later()


def test_a_decision_is_closed_by_a_renewal_or_by_the_agency() -> None:
    assert not past("Closed", "Renewed", template(), serves("0123456789"))
    assert not past("Closed", "Revoked", template(), serves(DECIDED), **REVOKED)
    found = past("Closed", "Renewed", template(), serves(DECIDED))
    said(found, "address-1, Closed (Renewed) without a cause")


def test_what_was_renewed_may_go_back_where_nothing_enforces() -> None:
    court = Court(NothingPublicPastItsInstant(lambda: NOW))
    court.tell(decision(NOW - timedelta(days=1), "Closed", "Renewed"), route(), serves("0123456789"))
    assert not court.later()
    court.tell(serves(DECIDED))
    assert not court.later()


def test_before_the_instant_and_by_another_way_nothing_is_wrong() -> None:
    court = Court(NothingPublicPastItsInstant(lambda: NOW))
    court.tell(decision(NOW + timedelta(seconds=1)), route())
    assert not court.later()
    court.tell(decision(NOW), route(service="address-candidate"))
    assert not court.later()
