# SPDX-License-Identifier: Apache-2.0
"""The gauges about objects say what their statuses say."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.store import Store
from eservice_operator.core.actions import Manifest
from eservice_operator.runtime.exposition import Family
from eservice_operator.runtime.figures import FAMILIES, EServiceFigures
from tests.support import worlds

WHO = {"namespace": worlds.NAMESPACE, "name": worlds.NAME}
PUBLIC = {"template": {"name": worlds.TEMPLATE, "version": "2.0.0"}, "name": "r", "image": worlds.image("a")}


def scraped(figures: EServiceFigures, store: Store) -> dict[str, list[tuple[dict[str, str], float]]]:
    text = "".join(rendered.text() for rendered in figures.collect(store, worlds.NOW))
    families = list(text_string_to_metric_families(text))
    assert [family.name for family in families] == [family.name for family in FAMILIES]
    return {family.name: [(one.labels, one.value) for one in family.samples] for family in families}


def seen_of(*objects: Manifest) -> dict[str, list[tuple[dict[str, str], float]]]:
    store = Store(INDEXES)
    for obj in objects:
        store.upsert(obj)
    return scraped(EServiceFigures(worlds.RIGA, worlds.ROUTES), store)


def samples(**status: Any) -> dict[str, list[tuple[dict[str, str], float]]]:
    return seen_of(worlds.eservice(status=status))


def gate(name: str, since: str = "2026-10-01T10:00:00Z") -> dict[str, str]:
    return {"gate": name, "owner": "Agency", "reason": "AwaitingAcceptance", "since": since}


def notice(state: str, at: str = "2026-10-01T10:00:00Z") -> dict[str, str]:
    return {"id": f"{state}{at}", "state": state, "at": at}


def test_one_that_nobody_has_looked_at_is_not_published() -> None:
    seen = samples()
    assert seen["eservice_published"] == [(WHO, 0)]
    assert seen["eservice_gate_unmet"] == []
    assert seen["eservice_unpublish_timestamp_seconds"] == []
    assert seen["eservice_notices_pending"] == []


def test_dates_are_local_days() -> None:
    seen = samples(
        template={"unpublishAt": "2026-12-01", "migrateBy": "2026-12-01"},
        installation={"dueBy": "2026-12-01"},
    )
    assert seen["eservice_unpublish_timestamp_seconds"] == [
        (WHO, worlds.at("2026-12-01", "00:00").timestamp())
    ]
    assert seen["eservice_migrate_by_timestamp_seconds"] == [
        (WHO, worlds.at("2026-12-02", "00:00").timestamp())
    ]
    assert seen["eservice_installation_due_timestamp_seconds"] == [
        (WHO, worlds.at("2026-12-02", "00:00").timestamp())
    ]


def test_what_is_installed_is_not_due() -> None:
    installation = {"dueBy": "2026-12-01", "installedAt": "2026-11-20T10:00:00Z"}
    assert samples(installation=installation)["eservice_installation_due_timestamp_seconds"] == []


def test_gates_and_trouble_are_counted_with_their_owner() -> None:
    seen = samples(
        phase="Pending",
        identifier="EP-000007",
        gates=[gate("Accepted")],
        conditions=[
            {"type": "Published", "status": "True"},
            {"type": "Stalled", "status": "True", "reason": "NameCollision"},
        ],
    )
    unmet = WHO | {"gate": "Accepted", "owner": "Agency", "reason": "AwaitingAcceptance"}
    assert seen["eservice_gate_unmet"] == [(unmet, 1)]
    assert seen["eservice_stalled"] == [(WHO | {"reason": "NameCollision"}, 1)]
    assert seen["eservice_published"] == [(WHO, 1)]
    labels, _ = seen["eservice_info"][0]
    assert (labels["phase"], labels["identifier"], labels["environment"]) == (
        "Pending",
        "EP-000007",
        "Production",
    )


@pytest.mark.parametrize(
    "published, stays, told",
    [("True", True, True), ("False", True, False), ("True", False, False)],
)
def test_what_is_served_and_cannot_move_is_told(published: str, *, stays: bool, told: bool) -> None:
    """Whatever Ready says."""
    place = {"type": "RouteInPlace", "status": "False", "reason": "GatewayNotFound"}
    found = samples(
        conditions=[
            {"type": "Published", "status": published, "reason": "Published"},
            {"type": "Ready", "status": "True", "reason": "AwaitingVerification"},
            *([place] if stays else []),
        ]
    )["eservice_route_cannot_move"]
    assert found == ([(WHO, 1)] if told else [])


def test_who_contests_a_host_is_counted_and_not_named() -> None:
    """Names of objects that any tenant may write would be time series without end."""
    others = [
        {"host": worlds.HOST, "by": f"Ingress {name}", "standing": "Beside"} for name in ("a/one", "b/two")
    ]
    others.append({"host": worlds.HOST, "by": "EService other/theirs", "standing": "Waits"})
    seen = samples(contested=others)["eservice_host_contested"]
    assert [({"host": of["host"], "standing": of["standing"]}, many) for of, many in seen] == [
        ({"host": worlds.HOST, "standing": "Beside"}, 2),
        ({"host": worlds.HOST, "standing": "Waits"}, 1),
    ]
    assert all("by" not in of for of, _ in seen)


def test_the_lag_is_that_of_the_public_release_in_production() -> None:
    public = worlds.eservice(status={"release": {"public": PUBLIC}})
    seen = seen_of(public, worlds.template())["eservice_template_lag_days"]
    assert seen == [
        (WHO | {"template": worlds.TEMPLATE, "version": "2.0.0"}, 608)
    ]  # 2024-02-01 to 2025-10-01
    assert seen_of(worlds.eservice(), worlds.template())["eservice_template_lag_days"] == []
    elsewhere = worlds.eservice(spec={"environment": "Test"}, status={"release": {"public": PUBLIC}})
    assert seen_of(elsewhere, worlds.template())["eservice_template_lag_days"] == []


def test_what_has_been_public_and_is_not_served_says_why() -> None:
    def told(published: str, reason: str, **metadata: Any) -> list[tuple[dict[str, str], float]]:
        conditions = [worlds.condition("Published", reason, published)]
        status = {"release": {"public": PUBLIC}, "conditions": conditions}
        return seen_of(worlds.eservice(status=status, metadata=metadata))["eservice_not_served"]

    assert told("False", "RouteRefused") == [(WHO | {"reason": "RouteRefused"}, 1)]
    assert told("True", "Published") == []
    assert told("False", "AwaitingGateway", deletionTimestamp="2026-10-13T10:00:00Z") == []
    assert (
        samples(conditions=[worlds.condition("Published", "Switching", "False")])["eservice_not_served"] == []
    )


def route(shows: str, **answers: str) -> Manifest:
    """A public route, and what its Gateway says of it."""
    gateway = {"namespace": "gateway-system", "name": "public"}
    labels = {"app.kubernetes.io/managed-by": "eservice-operator", "eservice.dev/shows": shows}
    conditions = [{"type": kind, "status": said, "observedGeneration": 1} for kind, said in answers.items()]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {
            "name": worlds.ROUTE,
            "namespace": worlds.ROUTES,
            "uid": "uid-route",
            "resourceVersion": "7",
            "generation": 1,
            "labels": labels,
        },
        "spec": {"parentRefs": [gateway]},
        "status": {"parents": [{"parentRef": gateway, "conditions": conditions}] if conditions else []},
    }


@pytest.mark.parametrize(
    "shows, answers, reason",
    [
        ("Notice", {"Accepted": "True", "ResolvedRefs": "False"}, "RouteRefused"),
        ("Notice", {"Accepted": "False", "ResolvedRefs": "True"}, "RouteRefused"),
        ("Notice", {}, "AwaitingGateway"),
        ("Notice", {"Accepted": "True", "ResolvedRefs": "True"}, None),
        ("Live", {"Accepted": "True", "ResolvedRefs": "False"}, None),
        ("Preview", {"Accepted": "True", "ResolvedRefs": "False"}, None),
    ],
)
def test_a_notice_page_that_the_gateway_does_not_show_is_told(
    shows: str, answers: dict[str, str], reason: str | None
) -> None:
    seen = seen_of(worlds.eservice(), route(shows, **answers))["eservice_notice_page_not_shown"]
    assert seen == ([(WHO | {"reason": reason}, 1)] if reason else [])
    theirs = route(shows, **answers)
    theirs["metadata"] |= {"labels": {}, "name": "shop"}
    assert seen_of(theirs)["eservice_notice_page_not_shown"] == []


def test_the_route_of_a_tenant_tells_nothing_whatever_its_labels_say() -> None:
    theirs = route("Notice")
    theirs["metadata"] |= {"namespace": worlds.NAMESPACE}
    assert seen_of(worlds.eservice(), theirs)["eservice_notice_page_not_shown"] == []


def test_a_notice_page_on_a_gateway_that_is_gone_is_told() -> None:
    """What the Gateway said of the route before it went is still in the route's status."""
    figures, store = EServiceFigures(worlds.RIGA, worlds.ROUTES), Store(INDEXES)
    store.upsert(route("Notice", Accepted="True", ResolvedRefs="True"))

    def told() -> list[str]:
        return [labels["reason"] for labels, _ in scraped(figures, store)["eservice_notice_page_not_shown"]]

    gateway = {"name": "public", "namespace": "gateway-system", "uid": "g", "resourceVersion": "1"}
    there = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": gateway}
    assert told() == [], "nobody has listed the Gateways yet"
    store.mark_synced("Gateway")
    assert told() == ["GatewayNotFound"]
    store.upsert(there)
    assert told() == []
    store.delete(there)
    assert told() == ["GatewayNotFound"]


def test_a_template_that_nobody_knows_gives_no_lag_and_says_so() -> None:
    condition = {"type": "TemplateCurrent", "status": "Unknown", "reason": "TemplateUnknown"}
    seen = seen_of(worlds.eservice(status={"release": {"public": PUBLIC}, "conditions": [condition]}))
    assert seen["eservice_template_lag_days"] == []
    assert seen["eservice_template_unknown"] == [(WHO | {"reason": "TemplateUnknown"}, 1)]


def test_a_verification_is_wanted_once_there_is_something_to_verify() -> None:
    def wanted(*gates: str, **installation: str) -> list[tuple[dict[str, str], float]]:
        seen = samples(gates=[gate(name) for name in gates], installation=installation)
        return seen["eservice_verification_wanted_timestamp_seconds"]

    at = "2026-10-08T10:00:00Z"
    assert wanted("Verified") == []
    assert wanted("Installed", "Verified", installedAt=at) == []
    assert wanted("Catalogued", installedAt=at) == []
    assert wanted("Verified", installedAt=at) == [(WHO, worlds.at("2026-10-08", "13:00").timestamp())]
    earlier = wanted("Verified", installedAt="2026-09-01T10:00:00Z")
    assert earlier == [(WHO, worlds.at("2026-10-01", "13:00").timestamp())]


def test_a_template_tells_of_its_versions_and_its_brake() -> None:
    name = {"template": worlds.TEMPLATE}
    status = {
        "currentVersion": "3.0.0",
        "versions": [{"version": "2.0.0", "stage": "Overdue", "eServices": 60}],
        "nextTransition": {"at": "2026-12-01", "message": "2.0.0: Supported to Overdue"},
        "held": [{"token": "4f1c", "since": "2026-10-01T10:00:00Z", "count": 60}],
        "conditions": [
            {"type": "Ready", "status": "True", "reason": "HistoryChanged"},
            {"type": "BrakeEngaged", "status": "True", "reason": "Brake"},
        ],
    }
    seen = seen_of(worlds.template(status=status))
    assert seen["eservice_template_current_info"] == [(name | {"version": "3.0.0"}, 1)]
    in_use = name | {"version": "2.0.0", "stage": "Overdue"}
    assert seen["eservice_template_version_services"] == [(in_use, 60)]
    assert seen["eservice_template_brake_engaged"] == [(name, 1)]
    assert seen["eservice_template_held_decisions"] == [(name | {"token": "4f1c"}, 60)]
    assert seen["eservice_template_problem"] == [(name | {"reason": "HistoryChanged"}, 1)]
    following = seen["eservice_template_next_transition_timestamp_seconds"]
    assert following == [(name, worlds.at("2026-12-01", "00:00").timestamp())]
    quiet = seen_of(worlds.template())
    assert quiet["eservice_template_brake_engaged"] == [(name, 0)]
    assert quiet["eservice_template_problem"] == []


def test_decisions_are_told_until_they_are_closed() -> None:
    def told(**status: Any) -> list[tuple[dict[str, str], float]]:
        body = worlds.decision(status=status)
        return seen_of(body, worlds.eservice())["eservice_unpublish_decision"]

    ((labels, _),) = told(state="Held", reason="Brake")
    assert {**WHO, "state": "Held", "reason": "Brake", "template": worlds.TEMPLATE}.items() <= labels.items()
    assert [labels["state"] for labels, _ in told()] == ["Scheduled"]
    assert told(state="Closed", reason="Renewed") == []


def test_a_decision_whose_service_is_gone_asks_for_nobody_until_it_is_back() -> None:
    figures, store = EServiceFigures(worlds.RIGA, worlds.ROUTES), Store(INDEXES)
    service = worlds.eservice()
    held = {"state": "Held", "reason": "NoticeUndelivered", "notices": [notice("Retrying")]}
    for obj in (service, worlds.decision(status=held)):
        store.upsert(obj)

    def told() -> list[int]:
        seen = scraped(figures, store)
        return [len(seen[name]) for name in ("eservice_unpublish_decision", "eservice_notices_pending")]

    assert told() == [1, 1]
    store.delete(service)
    assert told() == [0, 0]
    store.upsert(worlds.eservice(metadata={"uid": "anew", "resourceVersion": "99"}))
    assert told() == [1, 1]


def test_a_closed_decision_has_no_notices_on_their_way() -> None:
    ledger = [notice("Sending"), notice("Retrying"), notice("Failed")]
    closed = worlds.decision(status={"state": "Closed", "reason": "Renewed", "notices": ledger})
    seen = seen_of(closed, worlds.eservice())
    assert seen["eservice_notices_pending"] == []
    assert [value for _, value in seen["eservice_notices_failed"]] == [1]


def test_a_registration_that_somebody_has_to_mend() -> None:
    def told(reason: str) -> list[tuple[dict[str, str], float]]:
        condition = {"type": "Ready", "status": "True", "reason": reason}
        return seen_of(worlds.registration(status={"conditions": [condition]}))[
            "eservice_registration_problem"
        ]

    assert told("Succeeded") == []
    assert told("Progressing") == []
    conflict = {"registration": worlds.NAME, "reason": "NamespaceConflict"}
    assert told("NamespaceConflict") == [(conflict, 1)]


def test_notices_are_counted_in_every_ledger() -> None:
    ledger = [
        notice("Sending"),
        notice("Retrying"),
        notice("Sent"),
        notice("Failed"),
        notice("Failed", "2026-10-02T10:00:00Z"),
    ]
    whose = WHO | {"object": "EService"}
    seen = samples(notices=ledger)
    assert seen["eservice_notices_pending"] == [(whose, 2)]
    assert seen["eservice_notices_failed"] == [(whose, 2)]
    at = worlds.at("2026-10-02", "13:00").timestamp()
    assert seen["eservice_notice_failed_timestamp_seconds"] == [(whose, at)]
    decision = worlds.decision(status={"notices": ledger})
    of_all = seen_of(worlds.template(status={"notices": ledger}), worlds.eservice(), decision)
    objects = {labels["object"] for labels, _ in of_all["eservice_notices_failed"]}
    assert objects == {"EServiceTemplate", "UnpublishDecision"}


def test_a_new_version_of_an_object_is_told_anew_and_a_deleted_one_no_more() -> None:
    figures, store = EServiceFigures(worlds.RIGA, worlds.ROUTES), Store(INDEXES)
    body = worlds.eservice(status={"release": {"public": PUBLIC}})
    store.upsert(body)
    assert scraped(figures, store)["eservice_template_lag_days"] == []
    store.upsert(worlds.template())  # the service itself is the same: what it lags behind is not
    assert [lag for _, lag in scraped(figures, store)["eservice_template_lag_days"]] == [608]
    changed = worlds.merged(body, {"metadata": {"resourceVersion": "2"}, "status": {"phase": "Published"}})
    store.upsert(changed)
    assert [labels["phase"] for labels, _ in scraped(figures, store)["eservice_info"]] == ["Published"]
    store.delete(changed)
    assert scraped(figures, store)["eservice_info"] == []


def test_whatever_a_label_holds_is_read_as_it_was() -> None:
    strange = 'a"b\\c\nd\\n'
    line = Family("eservice_info", "An e-service.", ("name",)).line([strange], 1.5)
    (family,) = text_string_to_metric_families(line)
    assert [(one.labels, one.value) for one in family.samples] == [({"name": strange}, 1.5)]
