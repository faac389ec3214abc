# SPDX-License-Identifier: Apache-2.0
"""Nothing that a tenant can write or delete brings a host onto a public route (R1); conflicts are told."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from eservice_operator.api.contested import Standing
from eservice_operator.api.eservice import EService, EServiceStatus
from eservice_operator.api.reasons import ConditionType
from eservice_operator.core.actions import Create, Manifest, Update
from eservice_operator.core.conditions import find
from eservice_operator.core.decide import decide
from eservice_operator.core.drivers import driver_of
from eservice_operator.core.faces import Face
from eservice_operator.core.facts import Facts
from eservice_operator.core.policy import Policy
from eservice_operator.core.transitions import notes_elsewhere
from eservice_operator.core.world import HostClaim, Observed
from tests.core.strategies_worlds import clusters, good_clusters, instants
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import BY_INGRESS, HOST, NAME, NAMESPACE, NOTICED, NOW, POLICY, ROUTE, ROUTES, at

LATER = at("2026-10-20")
AT_ROUTE = ("HTTPRoute", ROUTES, ROUTE)
STRANGE = "shop.latvija.example"


def forge_snapshot(cluster: PureCluster, *hosts: str) -> None:
    """A ControllerRevision that says of itself that it is ours, and remembers other hosts."""
    forged = copy.deepcopy(next(iter(cluster.of_kind("ControllerRevision").values())))
    forged["metadata"] |= {"name": "forged", "uid": "uid-forged"}
    forged |= {"revision": 99, "data": forged["data"] | {"hosts": list(hosts)}}
    cluster.objects["ControllerRevision", NAMESPACE, "forged"] = forged


def forget_snapshots(cluster: PureCluster) -> None:
    for place in [place for place in cluster.objects if place[0] == "ControllerRevision"]:
        del cluster.objects[place]


def hosts(cluster: PureCluster) -> list[str]:
    found: list[str] = cluster.objects[AT_ROUTE]["spec"]["hostnames"]
    return found


def test_a_lost_snapshot_gives_no_host(public: PureCluster) -> None:
    forget_snapshots(public)
    public.edit_service(publication={"hosts": [STRANGE]})
    public.settle(LATER)
    assert hosts(public) == [HOST]
    assert public.gates() == ["HostAllowed"]


def test_a_forged_snapshot_gives_no_host(public: PureCluster) -> None:
    forge_snapshot(public, STRANGE)
    public.edit_service(productionRequest=None)
    public.settle(LATER)
    assert hosts(public) == [HOST]


@pytest.mark.parametrize("claims, kept", [((), STRANGE), (((STRANGE, "HTTPRoute shop/shop"),), HOST)])
def test_a_registered_host_comes_unless_somebody_has_it(
    public: PureCluster, claims: tuple[tuple[str, str], ...], kept: str
) -> None:
    entries = [{"environment": "Production", "host": host} for host in (HOST, STRANGE)]
    public.edit(("EServiceRegistration", "", "address-declaration"), spec={"hosts": entries})
    public.claims = claims
    forget_snapshots(public)
    public.edit_service(publication={"hosts": [STRANGE]})
    public.settle(LATER)
    assert hosts(public) == [kept]


@pytest.mark.parametrize("by", [POLICY, NOTICED, BY_INGRESS], ids=["gateway", "notice", "ingress"])
@pytest.mark.parametrize(
    "forged, claimed, shown",
    [
        ((STRANGE,), False, []),
        ((STRANGE, HOST), False, [HOST]),
        ((HOST,), True, []),
        ((HOST,), False, [HOST]),
    ],
)
def test_a_route_without_hosts_gets_none_from_a_forged_snapshot(
    cluster: PureCluster, by: Policy, forged: tuple[str, ...], claimed: bool, shown: list[str]
) -> None:
    """Emptied rules show nobody anything: what comes onto them is what comes onto a new route."""
    cluster.policy = by
    cluster.settle(NOW)
    place = next(place for place in cluster.objects if place[0] in {"Ingress", "HTTPRoute"})
    emptied: Manifest = {"hostnames": [], "rules": []} if place[0] == "HTTPRoute" else {"rules": []}
    cluster.vandalise(place, spec=emptied)
    forge_snapshot(cluster, *forged)
    cluster.claims = ((HOST, "EService other/theirs"),) if claimed else ()
    cluster.edit_service(productionRequest=None)
    cluster.settle(LATER)
    route = cluster.objects.get(place)
    assert ([] if route is None else list(driver_of(by).hosts(Observed(route)))) == shown
    assert (cluster.status.public_url is not None) is bool(shown)
    assert cluster.gates(), "and it is said why"


TWO_HOSTS = [{"environment": "Production", "host": host} for host in (HOST, STRANGE)]


@pytest.mark.parametrize("claimed, shown", [(True, [HOST]), (False, [STRANGE])], ids=["claimed", "free"])
def test_a_forged_snapshot_brings_the_notice_page_on_nobody_elses_host(
    cluster: PureCluster, claimed: bool, shown: list[str]
) -> None:
    cluster.policy = NOTICED
    cluster.put(worlds.registration(spec={"hosts": TWO_HOSTS}))
    cluster.edit_service(publication={"paused": {"reason": "maintenance"}})
    cluster.settle(NOW)
    cluster.edit_service(publication={"paused": None})
    cluster.settle(NOW)
    cluster.edit_service(publication={"paused": {"reason": "maintenance"}})
    cluster.settle(NOW)
    assert (cluster.face(), hosts(cluster)) == (Face.NOTICE, [HOST])
    if claimed:
        cluster.claims = ((STRANGE, "EService other/theirs"),)
    forge_snapshot(cluster, *shown, *([STRANGE] if claimed else []))
    cluster.edit_service(productionRequest=None)
    cluster.settle(LATER)
    assert hosts(cluster) == shown


@settings(max_examples=40, deadline=None)
@given(
    st.one_of(clusters(), good_clusters()),
    instants(),
    st.sampled_from([NOTICED, POLICY, BY_INGRESS]),
    st.booleans(),
    st.booleans(),
)
def test_whatever_a_route_shows_no_host_comes_onto_it_that_is_not_its_own(
    cluster: PureCluster, now: datetime, policy: Policy, paused: bool, registered: bool
) -> None:
    """Registered and nobody else's, or on the route before: a snapshot alone gives none."""
    cluster.policy = policy
    if registered:
        cluster.put(worlds.registration(spec={"hosts": TWO_HOSTS}))
    cluster.settle(now)
    assume(cluster.of_kind("EService") and cluster.of_kind("ControllerRevision"))
    forge_snapshot(cluster, HOST, STRANGE)
    cluster.claims = (*cluster.claims, (STRANGE, "EService other/theirs"))
    if paused:
        cluster.edit_service(publication={"paused": {"reason": "maintenance"}})
    for action in decide(cluster.world(), now, policy).actions:
        if isinstance(action, Create | Update) and action.manifest["kind"] in ROUTED:
            assert STRANGE not in ROUTED[action.manifest["kind"]](action.manifest["spec"])


ROUTED: dict[str, Callable[[Manifest], list[str]]] = {
    "HTTPRoute": lambda spec: spec["hostnames"],
    "Ingress": lambda spec: [rule["host"] for rule in spec["rules"]],
}


# both sides are told, once


def wanted_by(owner: str, standing: Standing, host: str = HOST) -> HostClaim:
    return worlds.claim(host, owner, standing)


def listed(cluster: PureCluster) -> list[tuple[str, str, str]]:
    return [(one.host, one.by, one.standing.value) for one in cluster.status.contested]


def test_whoever_came_first_is_told_and_nothing_changes_for_it(public: PureCluster) -> None:
    before = copy.deepcopy(public.objects)
    public.contenders = (wanted_by("EService other/theirs", Standing.WAITS),)
    public.settle(LATER)
    assert [(note.type, note.reason, note.text) for note in public.told] == [
        ("Warning", "HostContested", f"{HOST} is wanted by EService other/theirs as well, which waits")
    ]
    assert listed(public) == [(HOST, "EService other/theirs", "Waits")]
    condition = find(public.status.conditions, ConditionType.PUBLISHED)
    assert condition is not None
    assert condition.message.endswith(f"; {HOST} is wanted by EService other/theirs as well, which waits")
    assert hosts(public) == [HOST]
    assert public.gates() == []
    assert all(public.objects[place].get("spec") == body.get("spec") for place, body in before.items())
    public.forget()
    public.settle(at("2026-10-21"))
    assert not public.told, "once for each contender, not at each look"


def test_the_later_one_is_told_who_has_it(cluster: PureCluster) -> None:
    cluster.claims = ((HOST, "HTTPRoute shop/shop"),)
    cluster.settle(LATER)
    assert ("HostConflict", f"{HOST} is served by HTTPRoute shop/shop") in [
        (note.reason, note.text) for note in cluster.told
    ]
    assert AT_ROUTE not in cluster.objects
    (elsewhere,) = notes_elsewhere(Facts(replace(cluster.world(), service=fresh(cluster)), LATER, POLICY))
    ref, uid, note = elsewhere
    assert (ref.kind, ref.namespace, ref.name, uid) == ("HTTPRoute", "shop", "shop", "uid-shop")
    assert note.reason == "HostConflict"
    assert note.text == (
        f"{HOST} is registered for EService {NAMESPACE}/{NAME} (EServiceRegistration {NAME}),"
        " which waits while this HTTPRoute serves it: the Agency settles who has it,"
        " the operator changes neither"
    )
    assert not notes_elsewhere(Facts(cluster.world(), LATER, POLICY)), "what is listed already was told"


@pytest.mark.parametrize(
    "standing, said",
    [
        (Standing.SERVES, "and this HTTPRoute serves it"),
        (Standing.WAITS, "and this HTTPRoute wants it too"),
        (Standing.BESIDE, "and this HTTPRoute may answer for it too"),
    ],
)
def test_a_route_beside_one_that_is_public_is_told_how_each_stands(
    public: PureCluster, standing: Standing, said: str
) -> None:
    claim = wanted_by("HTTPRoute shop/shop", standing)
    claims, contenders = ((claim,), ()) if standing.holds else ((), (claim,))
    world = replace(public.world(), claims=claims, contenders=contenders)
    ((_, _, note),) = notes_elsewhere(Facts(world, LATER, POLICY))
    service = f"EService {NAMESPACE}/{NAME} (EServiceRegistration {NAME})"
    assert note.text.startswith(f"{HOST} is on the public route of {service}, {said}: ")


def test_of_several_who_hold_hosts_the_condition_names_one(cluster: PureCluster) -> None:
    cluster.claims = ((HOST, "HTTPRoute shop/shop"), (HOST, "EService other/theirs"))
    cluster.settle(LATER)
    condition = find(cluster.status.conditions, ConditionType.PUBLISHED)
    assert condition is not None
    assert condition.message == f"{HOST} is served by EService other/theirs; and 1 more, see status.contested"
    assert len(listed(cluster)) == 2


def fresh(cluster: PureCluster) -> EService:
    """The EService as it was before it had a status."""
    return cluster.world().service.model_copy(update={"status": EServiceStatus()})


def test_who_waited_and_serves_now_is_told_anew(public: PureCluster) -> None:
    for standing, reason in ((Standing.WAITS, "HostContested"), (Standing.BESIDE, None)):
        public.contenders = (wanted_by("HTTPRoute shop/shop", standing),)
        public.forget()
        public.settle(LATER)
        assert [note.reason for note in public.told] == ([reason] if reason else [])
    public.contenders, public.claims = (), ((HOST, "HTTPRoute shop/shop"),)
    public.forget()
    public.settle(LATER)
    assert [note.reason for note in public.told] == ["HostConflict"]
    assert hosts(public) == [HOST], "what is public stays"


def test_nobody_gets_events_about_hosts_that_are_not_registered(public: PureCluster) -> None:
    public.contenders = (wanted_by("Ingress shop/shop", Standing.BESIDE, STRANGE),)
    public.edit_service(publication={"hosts": [HOST, STRANGE]})
    public.settle(LATER)
    assert listed(public) == []
    assert notes_elsewhere(Facts(public.world(), LATER, POLICY)) == ()


def test_of_very_many_the_gravest_are_listed(public: PureCluster) -> None:
    many = [wanted_by(f"Ingress s{number:02d}/shop", Standing.BESIDE) for number in range(40)]
    public.contenders = (*many, wanted_by("EService other/theirs", Standing.WAITS))
    public.settle(LATER)
    assert len(listed(public)) == 16
    condition = find(public.status.conditions, ConditionType.PUBLISHED)
    assert condition is not None
    assert condition.message.endswith(
        f"; {HOST} is wanted by EService other/theirs as well, which waits; and 15 more, see status.contested"
    )
    assert listed(public)[0] == (HOST, "EService other/theirs", "Waits")


def beside(*owners: str, host: str = HOST) -> tuple[HostClaim, ...]:
    return tuple(wanted_by(owner, Standing.BESIDE, host) for owner in owners)


def test_a_namespace_has_one_place_for_each_host(public: PureCluster) -> None:
    """Or whoever may write Ingresses could fill the list, and write Events and statuses by it."""
    entries = [{"environment": "Production", "host": host} for host in (HOST, STRANGE)]
    public.edit(("EServiceRegistration", "", "address-declaration"), spec={"hosts": entries})
    many = [f"Ingress shop/s{number:02d}" for number in range(40)]
    public.contenders = (*beside(*many, "Ingress other/a"), *beside(*many, host=STRANGE))
    public.settle(LATER)
    assert listed(public) == [
        (HOST, "Ingress other/a", "Beside"),
        (HOST, "Ingress shop/s00", "Beside"),
        (STRANGE, "Ingress shop/s00", "Beside"),
    ]
    assert len(public.told) == 3


def test_who_is_listed_stays_while_it_stands(public: PureCluster) -> None:
    """One that sorts before it takes no place: each change would be a write and two Events."""
    first = [f"Ingress n{number:02d}/shop" for number in range(16)]
    public.contenders = beside(*first, "Ingress shop/s")
    public.settle(LATER)
    before = listed(public)
    assert [by for _, by, _ in before] == first
    public.forget()
    public.contenders = beside(*first, "Ingress a/a", "Ingress n03/a", "Ingress shop/s")
    public.settle(LATER)
    assert listed(public) == before
    assert not public.told
    public.contenders = (*beside(*first, "Ingress a/a"), wanted_by("EService other/theirs", Standing.WAITS))
    public.settle(LATER)
    assert [by for _, by, _ in listed(public)] == ["EService other/theirs", *first[:15]]
    public.contenders = beside(*first[1:], "Ingress a/a")
    public.settle(LATER)
    assert [by for _, by, _ in listed(public)] == ["Ingress a/a", *first[1:]]


@settings(max_examples=50, deadline=None)
@given(clusters(), instants())
def test_who_only_wants_a_host_changes_nothing(cluster: PureCluster, now: datetime) -> None:
    world = replace(cluster.world(), contenders=(wanted_by("Ingress shop/shop", Standing.BESIDE),))
    alone = decide(replace(world, contenders=()), now, POLICY)
    assert decide(world, now, POLICY).actions == alone.actions
    assert decide(world, now, POLICY).rollout == alone.rollout
