# SPDX-License-Identifier: Apache-2.0
"""What acts, verifications, deferrals and identifiers say of themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest

from eservice_operator.api.acts import AcceptanceAct, ProductionVerification
from eservice_operator.api.connection import ConnectionTest
from eservice_operator.api.decisions import UnpublishDecision, UnpublishDeferral
from eservice_operator.api.eservice import EService
from eservice_operator.api.identifier import EServiceIdentifier
from eservice_operator.api.kinds import BY_KIND
from eservice_operator.api.reasons import Reason
from eservice_operator.api.webservice import WebService
from eservice_operator.core.actions import Manifest
from eservice_operator.core.dates import start_of_day
from eservice_operator.core.records import decision_status, next_change, record_status
from eservice_operator.core.releases import release_name
from eservice_operator.core.world import RecordWorld
from tests.support import access, worlds
from tests.support.pure_cluster import status_body
from tests.support.status import assert_status_sound
from tests.support.worlds import DAY, NOW, POLICY, RIGA, at, image

SERVICE = EService.model_validate(worlds.eservice())
REGISTER = WebService.model_validate(access.web_service())


OBSERVED = {"report": None, "observed": {"namespace": "ur-production", "grant": "address-declaration"}}
"""Dated by the node that led then, and read by another."""


def identifier() -> Manifest:
    spec = {"identifier": "EP-000007", "registration": "address-declaration"}
    return {"kind": "EServiceIdentifier", "metadata": {"name": "ep-000007", "generation": 1}, "spec": spec}


def connection(passed: str = "2026-10-01T08:00:00Z", **spec: Any) -> Manifest:
    report = {"url": "https://agency.example/report", "sha256": "0" * 64}
    spec = {
        "webService": {"namespace": "ur-production", "name": "population-register"},
        "registration": "address-declaration",
        "contractVersion": "v5",
        "passedAt": passed,
        "report": report,
    } | spec
    return {"kind": "ConnectionTest", "metadata": {"name": "a-test", "generation": 1}, "spec": spec}


def world(body: Manifest, service: EService | None = SERVICE, **more: Any) -> RecordWorld:
    record = BY_KIND[body["kind"]].model.model_validate(body)
    assert isinstance(
        record,
        AcceptanceAct | ProductionVerification | UnpublishDeferral | EServiceIdentifier | ConnectionTest,
    )
    return RecordWorld(record, service, **more)


def instant_of(changes: str) -> datetime:
    """A local day begins, or the instant itself."""
    if len(changes) > len("2026-10-13"):
        return datetime.fromisoformat(changes)
    return start_of_day(date.fromisoformat(changes), RIGA)


def revoked(day: str) -> Manifest:
    return {"revoked": {"at": day, "reason": "a mistake"}}


PUBLIC = {"name": "x", "image": image("a"), "template": {"name": worlds.TEMPLATE, "version": "3.0.0"}}


@pytest.mark.parametrize(
    "record,reason,changes",
    [
        (world(worlds.act()), Reason.IN_FORCE, None),
        (world(worlds.act(), None), Reason.UNKNOWN_E_SERVICE, None),
        (world(worlds.act(spec={"image": image("b")})), Reason.UNKNOWN_RELEASE, None),
        (world(worlds.act(spec=revoked("2026-10-13"))), Reason.REVOKED, None),
        (world(worlds.act(spec=revoked("2026-10-14"))), Reason.IN_FORCE, "2026-10-14"),
        (world(worlds.verification()), Reason.IN_FORCE, None),
        (world(worlds.verification(), None), Reason.UNKNOWN_E_SERVICE, None),
        (world(worlds.verification(), newest=False), Reason.SUPERSEDED, None),
        (
            world(worlds.verification(spec={"verifiedAt": "2026-10-20T08:00:00Z"})),
            Reason.VERIFICATION_NOT_VALID,
            "2026-10-20T08:00:00Z",
        ),
        (world(worlds.deferral("2026-10-13")), Reason.IN_FORCE, "2026-10-14"),
        (world(worlds.deferral("2026-10-12")), Reason.EXPIRED, None),
        (world(worlds.deferral("2026-12-31"), None), Reason.UNKNOWN_E_SERVICE, "2027-01-01"),
        (world(worlds.deferral("2026-12-31", spec=revoked("2026-10-01"))), Reason.REVOKED, "2027-01-01"),
        (world(worlds.deferral("2026-12-31", spec=revoked("2026-11-01"))), Reason.IN_FORCE, "2026-11-01"),
        (world(identifier(), None), Reason.ALLOCATED, None),
        (world(connection(), None, web_service=REGISTER), Reason.IN_FORCE, None),
        (world(connection(), None), Reason.WEB_SERVICE_UNKNOWN, None),
        (
            world(connection(contractVersion="v9"), None, web_service=REGISTER),
            Reason.CONTRACT_UNKNOWN,
            None,
        ),
        (world(connection("2026-10-20T08:00:00Z"), None), Reason.TEST_NOT_VALID, "2026-10-21"),
        (
            world(connection("2026-10-13T09:04:00Z", **OBSERVED), None, web_service=REGISTER),
            Reason.IN_FORCE,
            None,
        ),
        (world(connection(**revoked("2026-10-13")), None), Reason.REVOKED, None),
        (
            world(connection(**revoked("2026-10-14")), None, web_service=REGISTER),
            Reason.IN_FORCE,
            "2026-10-14",
        ),
    ],
)
def test_a_record_says_whether_it_is_in_force(
    record: RecordWorld, reason: Reason, changes: str | None
) -> None:
    status = record_status(record, NOW, POLICY)
    kind = type(record.record).__name__
    body: Manifest = {
        "kind": kind,
        "metadata": {"name": "it", "generation": 1},
        "status": status_body(status),
    }
    assert_status_sound(body)
    (ready,) = status.conditions
    assert (ready.status.value, ready.reason) == ("True", reason), "a record is never at fault"
    assert next_change(record, NOW, POLICY) == (None if changes is None else instant_of(changes))
    read = record.record.model_copy(update={"status": status})
    again = record_status(replace(record, record=read), NOW + DAY / 24, POLICY)
    assert again == status


def test_an_act_of_the_release_in_public_use_is_in_force_whatever_the_spec_names() -> None:
    other = worlds.eservice(
        spec={"release": {"image": image("b")}},
        status={"release": {"public": PUBLIC | {"name": _name_of_a()}}},
    )
    status = record_status(world(worlds.act(), EService.model_validate(other)), NOW, POLICY)
    assert status.conditions[0].reason == Reason.IN_FORCE


def _name_of_a() -> str:
    act = AcceptanceAct.model_validate(worlds.act())
    return release_name(act.spec.image, act.spec.template)


def test_the_day_of_a_record_is_the_local_one() -> None:
    record = world(worlds.deferral("2026-10-13"))
    midnight = at("2026-10-14", "00:00")
    assert record_status(record, midnight - worlds.SECOND, POLICY).conditions[0].reason == Reason.IN_FORCE
    assert record_status(record, midnight, POLICY).conditions[0].reason == Reason.EXPIRED


def test_a_decision_with_a_word_of_a_newer_operator_stays_as_it_is() -> None:
    closed = {"state": "Closed", "reason": "SomethingNew", "message": "so it is", "observedGeneration": 1}
    decision = UnpublishDecision.model_validate(worlds.decision(status=closed))
    status = decision_status(decision, decision.status, NOW)
    assert (status.state.value, status.reason) == ("Closed", "SomethingNew")
    assert_status_sound(worlds.decision(status=status_body(status)))
