# SPDX-License-Identifier: Apache-2.0
"""Hypothesis strategies for the life of grants: what holders, institutions and the Agency do, and when.

Few versions, few days and few objects, so that the coincidences on which rules go wrong are common.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from typing_extensions import override

from eservice_operator.core.actions import Manifest
from tests.core.access.grant_cluster import GRANT, TEST_GRANT, GrantCluster
from tests.support import access, worlds
from tests.support.pure_cluster import Place
from tests.support.worlds import NAME, NAMESPACE, RIGA

VERSIONS = ("v4", "v5", "v6")
FIRST_DAY = date(2026, 10, 12)
SECOND_GRANT: Place = ("WebServiceGrant", access.HOLDER, "second")
SERVICE: Place = ("WebService", access.HOLDER, access.REGISTER)
TEST_SERVICE: Place = ("WebService", access.HOLDER_IN_TEST, access.REGISTER)
CONSUMER: Place = ("EService", NAMESPACE, NAME)
TEST_CONSUMER: Place = ("EService", "pmlp-test", NAME)
REGISTRATION: Place = ("EServiceRegistration", "", NAME)
ASSIGNMENT: Place = ("AgentAssignment", access.HOLDER, access.AGENT)

days = st.integers(0, 20).map(lambda offset: str(FIRST_DAY + timedelta(days=offset)))
some_versions = st.lists(st.sampled_from(VERSIONS), unique=True, max_size=3)
evidence = st.sampled_from(
    [None, access.EVIDENCE, access.EVIDENCE, access.EVIDENCE, {"endToEnd": access.DOCUMENT}]
)
maybe_day = st.one_of(st.none(), st.none(), days)
revoked = st.builds(lambda at: {"at": at, "reason": "a mistake"}, days)
grants = st.sampled_from([GRANT, GRANT, SECOND_GRANT, TEST_GRANT, TEST_GRANT])


@dataclass(frozen=True)
class Edit:
    """What somebody does."""

    what: str
    do: Callable[[GrantCluster], None]

    @override
    def __repr__(self) -> str:
        return self.what


@st.composite
def entries(draw: st.DrawFn, *, needs: bool) -> list[Manifest] | None:
    """The versions of a grant, with more or less of the evidence."""
    named = draw(some_versions)
    found = [access.granted(one, evidence=draw(evidence if needs else st.just(None)))[0] for one in named]
    return found or None


def _put(cluster: GrantCluster, body: Manifest) -> None:
    place = body["kind"], body["metadata"].get("namespace", ""), body["metadata"]["name"]
    if "deletionTimestamp" not in cluster.objects.get(place, {}).get("metadata", {}):
        cluster.put(body)


def _edit(cluster: GrantCluster, place: Place, patch: dict[str, Any]) -> None:
    if place in cluster.objects:
        cluster.edit(place, **patch)


def _remove(cluster: GrantCluster, place: Place) -> None:
    if place in cluster.objects:
        cluster.remove(place)


def _edited(place: Place, **patch: Any) -> Edit:
    return Edit(
        f"edit {place[0]} {place[1]}/{place[2]} {patch}", lambda cluster: _edit(cluster, place, patch)
    )


@st.composite
def grant_written(draw: st.DrawFn) -> Edit:
    """A grant as a holder writes it: anew, or over the one there is."""
    place = draw(grants)
    in_test = place == TEST_GRANT
    spec = {
        "contractVersions": draw(entries(needs=not in_test)),
        "validUntil": draw(maybe_day),
        "refused": draw(st.sampled_from([None, None, None, {"reason": "no legal ground"}])),
        "agent": {"assignment": access.AGENT} if place == SECOND_GRANT and draw(st.booleans()) else None,
    }
    body = access.grant_in_test(spec=spec) if in_test else access.grant(place[2], spec=spec)
    return Edit(f"write {place[2]} in {place[1]}: {spec}", lambda cluster: _put(cluster, body))


@st.composite
def contracts(draw: st.DrawFn) -> list[Manifest]:
    named = draw(st.lists(st.sampled_from(VERSIONS), unique=True, min_size=1, max_size=3))
    ends = {one: draw(maybe_day) for one in named}
    return [{"version": one} | ({"endOfLife": end} if end else {}) for one, end in ends.items()]


@st.composite
def service_written(draw: st.DrawFn) -> Edit:
    place = draw(st.sampled_from([SERVICE, TEST_SERVICE]))
    spec: dict[str, Any] = {"contracts": draw(contracts())}
    if place == SERVICE:
        spec["isolation"] = draw(st.sampled_from(["Enforce", "Enforce", "Observe"]))
        spec["testedAs"] = draw(
            st.sampled_from(
                [
                    {"namespace": access.HOLDER_IN_TEST, "name": access.REGISTER},
                    {"namespace": access.HOLDER_IN_TEST, "name": access.REGISTER},
                    {"namespace": access.HOLDER, "name": access.REGISTER},
                    None,
                ]
            )
        )
        body = access.web_service(spec=spec)
    else:
        code = draw(st.sampled_from([access.HOLDER_CODE, access.HOLDER_CODE, "90000000001"]))
        body = access.web_service_in_test(spec=spec | {"holder": {"code": code}})
    return Edit(f"write WebService in {place[1]}: {spec}", lambda cluster: cluster.put(body))


@st.composite
def uses_written(draw: st.DrawFn) -> Edit:
    in_test, named = draw(st.booleans()), draw(some_versions)
    namespace = access.HOLDER_IN_TEST if in_test else access.HOLDER
    uses = [access.use(one, name=f"persons-{one}", namespace=namespace) for one in named]
    body = worlds.eservice_in_test() if in_test else worlds.eservice()
    body["spec"]["uses"] = uses
    return Edit(
        f"EService in {body['metadata']['namespace']} uses {named}", lambda cluster: cluster.put(body)
    )


@st.composite
def tests_recorded(draw: st.DrawFn) -> Edit:
    version, passed = draw(st.sampled_from(VERSIONS)), draw(days)
    body = access.connection_test(
        f"tested-{version}",
        version,
        spec={
            "passedAt": f"{passed}T10:00:00Z",
            "registration": draw(st.sampled_from([NAME, NAME, "other"])),
        },
    )
    return Edit(f"record a test of {version} on {passed}", lambda cluster: cluster.put(body))


@st.composite
def records_touched(draw: st.DrawFn) -> Edit:
    """The Agency revokes or deletes one of the ConnectionTests there are."""
    which, revocation = draw(st.integers(0, 3)), draw(st.one_of(st.none(), revoked))

    def touch(cluster: GrantCluster) -> None:
        records = list(cluster.of_kind("ConnectionTest"))
        if records and revocation is None:
            cluster.remove(records[which % len(records)])
        elif records and "revoked" not in cluster.objects[records[which % len(records)]]["spec"]:
            cluster.edit(records[which % len(records)], spec={"revoked": revocation})

    return Edit(f"touch record {which}: {revocation}", touch)


@st.composite
def assignment_written(draw: st.DrawFn) -> Edit:
    spec = {
        "validUntil": draw(maybe_day),
        "ended": draw(st.one_of(st.none(), st.none(), revoked)),
        "agreement": draw(st.sampled_from([None, {}])),
        "pilotCustomers": list(access.PILOTS)[: draw(st.sampled_from([1, 2, 2, 2]))],
    }
    body = access.assignment(spec=spec)
    return Edit(f"write the assignment: {spec}", lambda cluster: cluster.put(body))


@st.composite
def labels_written(draw: st.DrawFn) -> Edit:
    namespace = draw(st.sampled_from([access.HOLDER, access.HOLDER_IN_TEST]))
    on = draw(st.booleans())

    def label(cluster: GrantCluster) -> None:
        service = access.web_service_in_test() if namespace == access.HOLDER_IN_TEST else access.web_service()
        cluster.namespaces[namespace] = access.labels(service) if on else {}

    return Edit(f"label {namespace}: {on}", label)


@st.composite
def backend_moved(draw: st.DrawFn) -> Edit:
    there = draw(st.booleans())

    def move(cluster: GrantCluster) -> None:
        place = f"{access.HOLDER}/{access.REGISTER}"
        if there:
            cluster.pods[place] = access.PODS
        else:
            cluster.pods.pop(place, None)

    return Edit(f"backend there: {there}", move)


@st.composite
def vandalised(draw: st.DrawFn) -> Edit:
    """Somebody in the holder's namespace writes over a child of ours, or into the status of a grant."""
    kind = draw(st.sampled_from(["Role", "RoleBinding", "RoleBinding", "NetworkPolicy", "status"]))
    how = draw(st.integers(0, 1))

    def vandalise(cluster: GrantCluster) -> None:
        for place, body in cluster.of_kind("WebServiceGrant" if kind == "status" else kind).items():
            if kind == "status":
                states = [{"version": one, "state": "Active", "reason": "Active"} for one in VERSIONS]
                body["status"] = {"observedGeneration": 1, "state": "Active", "contractVersions": states}
            elif how:
                del cluster.objects[place]
            else:
                cluster.objects[place] = worlds.merged(body, WRITTEN_OVER[kind])

    return Edit(f"vandalise {kind} {how}", vandalise)


ANYTHING = {"apiGroups": ["*"], "resources": ["webservices/v4", "webservices/v5", "*"], "verbs": ["*"]}
WRITTEN_OVER: dict[str, Any] = {
    "Role": {"rules": [ANYTHING]},
    "RoleBinding": {"roleRef": {"name": "admin"}},
    "NetworkPolicy": {"spec": {"ingress": [{}]}},
}

removals = grants.flatmap(
    lambda place: st.sampled_from(
        [place, place, place, SERVICE, TEST_SERVICE, CONSUMER, TEST_CONSUMER, REGISTRATION, ASSIGNMENT]
    )
).map(lambda place: Edit(f"delete {place[0]} {place[1]}/{place[2]}", lambda cluster: _remove(cluster, place)))


def _held(cluster: GrantCluster, place: Place) -> None:
    if place in cluster.objects:
        cluster.objects[place]["metadata"]["finalizers"] = ["tenant.example/hold"]
        cluster.remove(place)


def _let_go(cluster: GrantCluster, place: Place) -> None:
    if place in cluster.objects:
        cluster.objects[place]["metadata"].pop("finalizers", None)
        cluster.remove(place)


leaving = st.sampled_from([CONSUMER, CONSUMER, TEST_CONSUMER]).flatmap(
    lambda place: st.sampled_from(
        [
            Edit(f"delete {place}, held by its tenant", lambda cluster: _held(cluster, place)),
            Edit(f"let {place} go", lambda cluster: _let_go(cluster, place)),
        ]
    )
)
registrations = st.sampled_from(
    [
        Edit("register", lambda cluster: cluster.put(worlds.registration())),
        _edited(REGISTRATION, spec={"suspended": {"reason": "a breach"}}),
        _edited(REGISTRATION, spec={"namespaces": []}),
    ]
)
edits = st.one_of(
    grant_written(),
    grant_written(),
    grant_written(),
    service_written(),
    uses_written(),
    tests_recorded(),
    records_touched(),
    assignment_written(),
    labels_written(),
    backend_moved(),
    vandalised(),
    removals,
    leaving,
    registrations,
)


@st.composite
def instants(draw: st.DrawFn) -> datetime:
    """Instants around the ends of local days."""
    day = FIRST_DAY + timedelta(days=draw(st.integers(0, 21)))
    midnight = datetime.combine(day, datetime.min.time(), RIGA).astimezone(UTC)
    return midnight + timedelta(seconds=draw(st.sampled_from([-1, 0, 1, 3600, 43_200])))


moments = st.lists(instants(), min_size=1, max_size=6).map(sorted)
"""Time goes on, and never back."""
