# SPDX-License-Identifier: Apache-2.0
"""A scrape of a store with everything in it, judged by promtool."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.store import Store
from eservice_operator.core.actions import Manifest
from eservice_operator.runtime.figures import FAMILIES, EServiceFigures
from eservice_operator.runtime.metrics import Metrics
from tests.monitoring.conftest import Promtool
from tests.support import access, worlds

NOTICES = [{"id": state, "state": state, "at": "2026-10-01T10:00:00Z"} for state in ("Retrying", "Failed")]
CUT = worlds.condition("AccessGranted", "AccessLost", "False")
RELEASE = {"name": "r", "image": worlds.image("a"), "template": {"name": worlds.TEMPLATE, "version": "2.0.0"}}


def store() -> Store:
    """Objects that between them have every figure."""
    kept = Store(INDEXES)
    waiting = {"release": {"public": RELEASE}, "installation": {"dueBy": "2026-10-12"}}
    conflict = worlds.condition("Ready", "NamespaceConflict")
    objects = (
        public_service(),
        worlds.eservice(metadata={"name": "due", "uid": "due"}, status=waiting),
        worlds.decision(status={"state": "Held", "reason": "Brake"}),
        held_template(),
        notice_route(),
        worlds.eservice(metadata={"name": "cut", "uid": "cut"}, status={"conditions": [CUT]}),
        *access_objects(),
        worlds.registration(status={"conditions": [conflict]}),
    )
    for obj in objects:
        kept.upsert(obj)
    return kept


def public_service() -> Manifest:
    """An e-service that is public, and in every trouble that it can be in then."""
    gate = {"gate": "Verified", "owner": "Institution", "reason": "AwaitingVerification"}
    status = {
        "phase": "Published",
        "identifier": "EP-000007",
        "release": {"public": RELEASE},
        "template": {"unpublishAt": "2026-12-01", "migrateBy": "2026-12-01"},
        "installation": {"dueBy": "2026-10-12", "installedAt": "2026-10-10T10:00:00Z"},
        "gates": [gate | {"since": "2026-10-10T10:00:00Z"}],
        "conditions": [
            worlds.condition("Published", "Published"),
            worlds.condition("Stalled", "InvalidSpec"),
            worlds.condition("TemplateCurrent", "TemplateUnknown", "Unknown"),
            worlds.condition("RouteInPlace", "GatewayNotFound", "False"),
        ],
        "notices": NOTICES,
        "contested": [{"host": worlds.HOST, "by": "HTTPRoute a/b", "standing": "Beside"}],
        "publication": {
            "route": {"face": "Live", "generation": 1},
            "hosts": [{"host": worlds.HOST, "answer": "NoAddress", "since": "2026-10-10T10:00:00Z"}],
        },
    }
    return worlds.eservice(status=status)


def held_template() -> Manifest:
    """A template whose next decisions the brake holds back."""
    status = {
        "currentVersion": "3.0.0",
        "versions": [{"version": "3.0.0", "stage": "Current", "eServices": 1}],
        "nextTransition": {"at": "2026-12-01", "message": ""},
        "held": [{"token": "4f1c", "since": "2026-10-01T10:00:00Z", "count": 60}],
        "conditions": [worlds.condition("Ready", "HistoryChanged")],
    }
    return worlds.template(status=status)


def access_objects() -> tuple[Manifest, Manifest]:
    """A grant that ends, and a web service with a request and a version that retires."""
    version = {"version": "v5", "state": "Active", "endsOn": "2027-01-01"}
    asked = {"namespace": "a", "eService": "b", "state": "Waiting", "since": "2026-10-01T10:00:00Z"}
    status = {
        "contracts": [{"version": "v4", "endOfLife": "2027-10-31", "consumerCount": 3}],
        "waitingCount": 1,
        "requests": [asked],
        "conditions": [worlds.condition("ForeignInvokers", "ForeignRoles")],
    }
    hindered = {"version": "v6", "state": "Pending", "reason": "NameCollision"}
    granted = access.grant(status={"contractVersions": [version, hindered]})
    return granted, access.web_service(status=status)


def notice_route() -> Manifest:
    """A route that leads to the notice page, of which no gateway has said anything."""
    labels = {"app.kubernetes.io/managed-by": "eservice-operator", "eservice.dev/shows": "Notice"}
    metadata = {"name": worlds.ROUTE, "namespace": worlds.ROUTES, "uid": "route", "labels": labels}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": metadata | {"resourceVersion": "7", "generation": 1},
        "spec": {"parentRefs": [{"namespace": "gateway-system", "name": "public"}]},
    }


def scrape() -> str:
    metrics, figures, kept = Metrics(), EServiceFigures(worlds.RIGA, worlds.ROUTES), store()
    metrics.collect_list_ages(lambda: {"EService": 1.0})
    metrics.collect_state(lambda: figures.collect(kept, worlds.NOW))
    metrics.reconciled("EService", 0.1, ok=True)
    return metrics.render().decode()


def test_promtool_finds_nothing_to_complain_about(promtool: Promtool) -> None:
    done = promtool("check", "metrics", text=scrape())
    assert done.returncode in {0, 3}, done.stderr  # 3: it could read it, and complains
    complaints = [line for line in (done.stdout + done.stderr).splitlines() if "eservice_" in line]
    assert complaints == [
        'eservice_template_lag_days use base unit "seconds" instead of "days"'
    ]  # R8 counts days


def test_the_scrape_has_every_figure() -> None:
    families = {family.name: family for family in text_string_to_metric_families(scrape())}
    assert [family.name for family in FAMILIES if not families[family.name].samples] == []
