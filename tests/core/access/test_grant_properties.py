# SPDX-License-Identifier: Apache-2.0
"""What holds whatever holders, institutions and the Agency do, in any order, however far the operator got.

What may be opened is judged here once more, in another way than the operator does it: see `may_open`.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from eservice_operator.api.grant import GrantState, WebServiceGrant
from eservice_operator.api.webservice import WebService
from eservice_operator.core.access.open_now import closed_now
from eservice_operator.core.access.terms import Times
from eservice_operator.core.access.walls import KINDS
from eservice_operator.core.actions import Action, Create, Manifest, Update
from tests.core.access.grant_cluster import TEST_GRANT, GrantCluster, in_good_order
from tests.core.access.strategies_grants import VERSIONS, Edit, contracts, edits, instants, moments
from tests.support import access, worlds
from tests.support.pure_cluster import Place, place_of
from tests.support.worlds import NAME, NAMESPACE, NOW, RIGA

histories = st.lists(st.tuples(edits, st.booleans()), max_size=8)
"""What people do, and whether the operator comes to rest after it."""


def today(now: datetime) -> date:
    return now.astimezone(RIGA).date()


def spec_of(cluster: GrantCluster, place: Place) -> dict[str, Any]:
    body = cluster.objects.get(place)
    return {} if body is None else dict(body["spec"])


def names_version(cluster: GrantCluster, place: Place, version: str, now: datetime) -> dict[str, Any] | None:
    """What a living grant says of a version that its e-service asks for; None where it does not."""
    body = cluster.objects.get(place)
    if body is None or "deletionTimestamp" in body["metadata"] or "refused" in body["spec"]:
        return None
    spec, day = body["spec"], str(today(now))
    caller: Place = "EService", spec["consumer"]["namespace"], spec["consumer"]["name"]
    if "deletionTimestamp" in cluster.objects.get(caller, {}).get("metadata", {}):
        return None
    consumer = spec_of(cluster, caller)
    service = spec_of(cluster, ("WebService", place[1], spec["webService"]))
    lives = [one for one in service.get("contracts", ()) if one.get("endOfLife", day) >= day]
    entry: dict[str, Any] | None = next(
        (one for one in spec.get("contractVersions", ()) if one["version"] == version), None
    )
    asked = [use["contractVersion"] for use in consumer.get("uses", ())]
    open_still = spec.get("validUntil", day) >= day and version in [one["version"] for one in lives]
    return entry if open_still and version in asked else None


def was_tested(cluster: GrantCluster, place: Place, version: str, now: datetime) -> bool:
    """R10: by a grant of the same registration at testedAs, or by a ConnectionTest that is not revoked."""
    spec = cluster.objects[place]["spec"]
    service = spec_of(cluster, ("WebService", place[1], spec["webService"]))
    at = service.get("testedAs") or {}
    there = spec_of(cluster, ("WebService", at.get("namespace", ""), at.get("name", "")))
    in_test = (
        (at.get("namespace"), there.get("environment")) == (access.HOLDER_IN_TEST, "Test")
        and there["holder"]["code"] == service["holder"]["code"]
        and names_version(cluster, TEST_GRANT, version, now) is not None
    )
    return in_test or any(
        (one["registration"], one["contractVersion"]) == (NAME, version)
        and datetime.fromisoformat(one["passedAt"]) <= now
        and one.get("revoked", {}).get("at", "9999") > str(today(now))
        for one in (body["spec"] for body in cluster.of_kind("ConnectionTest").values())
    )


def may_open(cluster: GrantCluster, place: Place, version: str, now: datetime) -> bool:
    """What is necessary for a version of a SOAP service in Production, by the words of R3 and R10."""
    entry = names_version(cluster, place, version, now)
    both = {"selfDeclaration", "endToEnd"}
    return (
        entry is not None
        and both <= set(entry.get("evidence", ()))
        and was_tested(cluster, place, version, now)
        and cluster.namespaces.get(place[1]) == access.labels(access.web_service())
        and NAMESPACE in [one["name"] for one in spec_of(cluster, REGISTERED).get("namespaces", ())]
    )


REGISTERED: Place = ("EServiceRegistration", "", NAME)


class WatchedCluster(GrantCluster):
    """Looks at every write: a right to call Production is given only where `may_open` says so."""

    @override
    def carry_out(self, action: Action, now: datetime) -> None:
        written = action.manifest if isinstance(action, Create | Update) else {}
        metadata = written.get("metadata", {})
        if metadata.get("namespace") == access.HOLDER:
            place = "WebServiceGrant", access.HOLDER, metadata["labels"]["eservice.dev/grant"]
            before = given_by(self.objects.get(place_of(written), {}))
            for version in given_by(written):
                assert may_open(self, place, version, now), f"{place[2]} opens {version}: {self.log[-4:]}"
                assert version in before or self.on_record(version), "nothing remembers why it opens"
        if written.get("kind") == "ConnectionTest":
            spec = written["spec"]
            place = "WebServiceGrant", access.HOLDER, spec["observed"]["grant"]
            assert may_open(self, place, spec["contractVersion"], now), "a record of what may not be opened"
        super().carry_out(action, now)

    def on_record(self, version: str) -> bool:
        """Whether some ConnectionTest of the version is there, in force or not."""
        records = (body["spec"] for body in self.of_kind("ConnectionTest").values())
        return any((one["registration"], one["contractVersion"]) == (NAME, version) for one in records)


def given_by(manifest: Manifest) -> list[str]:
    if manifest.get("kind") != "Role":
        return []
    resources = [one for rule in manifest["rules"] for one in rule["resources"]]
    return [resource.removeprefix("webservices/") for resource in resources]


def lived(history: list[tuple[Edit, bool]], times: list[datetime], stops: list[int]) -> WatchedCluster:
    """A cluster after a history: time goes on between the edits, and now and then the operator is cut off."""
    cluster = WatchedCluster(**vars(in_good_order(*VERSIONS[:2])))
    cluster.put(access.assignment())
    for number, (edit, rests) in enumerate(history):
        now = times[min(number, len(times) - 1)]
        edit.do(cluster)
        if rests:
            cluster.settle(now)
        elif stops:
            cut_off(cluster, now, stops[number % len(stops)])
    return cluster


def cut_off(cluster: GrantCluster, now: datetime, after: int) -> None:
    """One decision about each grant, of which only the first few writes get through."""
    for place in list(cluster.of_kind("WebServiceGrant")):
        for action in cluster.decide(place, now).actions[:after]:
            cluster.carry_out(action, now)


histories_at = given(histories, moments, st.lists(st.integers(0, 4), max_size=3))


@histories_at
def test_at_rest_exactly_what_is_allowed_is_open(
    history: list[tuple[Edit, bool]], times: list[datetime], stops: list[int]
) -> None:
    """Nothing is open that is not allowed, all is open that is, and the statuses say so."""
    cluster, now = lived(history, times, stops), times[-1]
    cluster.settle(now)
    for place in cluster.of_kind("WebServiceGrant"):
        allowed = {one.version for one in cluster.standings(place, now) if one.allowed}
        own = cluster.world(place).children
        role = own.get(("Role", f"grant.{place[2]}"))
        given = [] if role is None else given_by(dict(role.body))
        assert set(given) == allowed
        if not allowed:
            assert not own, "nothing is left open"
        states = cluster.states(place)
        assert {one for one, state in states.items() if state is GrantState.ACTIVE} == allowed
        assert GrantState.REVOKING not in states.values(), "all of it is gone"
        finalizers = cluster.objects[place]["metadata"].get("finalizers")
        assert bool(finalizers) == bool(allowed)
        if place[1] == access.HOLDER:
            assert all(may_open(cluster, place, version, now) for version in allowed)
    grants = {(place[1], f"grant.{place[2]}") for place in cluster.of_kind("WebServiceGrant")}
    left = [place for kind in KINDS for place in cluster.of_kind(kind) if place[1:] not in grants]
    assert left == [], "of grants that are gone"


@histories_at
def test_deciding_on_what_it_led_to_yields_nothing(
    history: list[tuple[Edit, bool]], times: list[datetime], stops: list[int]
) -> None:
    cluster, now = lived(history, times, stops), times[-1]
    cluster.settle(now)
    for place in cluster.of_kind("WebServiceGrant"):
        assert cluster.decide(place, now).actions == ()
        assert not cluster.report(place, now)


@given(histories, moments, instants())
def test_between_its_own_instants_nothing_changes_by_time(
    history: list[tuple[Edit, bool]], times: list[datetime], later: datetime
) -> None:
    cluster, now = lived(history, times, []), times[-1]
    cluster.settle(now)
    for place in cluster.of_kind("WebServiceGrant"):
        decision = cluster.decide(place, now)
        if later > now and (decision.next_at is None or later < decision.next_at):
            assert cluster.decide(place, later).standings == decision.standings


@given(histories, moments, instants())
def test_the_authorizer_never_allows_what_the_rules_refuse(
    history: list[tuple[Edit, bool]], times: list[datetime], later: datetime
) -> None:
    """Also while the status is that of an earlier instant."""
    cluster, now = lived(history, times, []), times[-1]
    cluster.settle(now)
    later = max(now, later)
    for place, body in cluster.of_kind("WebServiceGrant").items():
        service = cluster.objects.get(("WebService", place[1], body["spec"]["webService"]))
        if service is None:
            continue
        case = cluster.case(place)
        allowed = {one.version for one in cluster.standings(place, later) if one.allowed}
        for version in VERSIONS:
            finding = closed_now(
                WebServiceGrant.model_validate(body),
                WebService.model_validate(service),
                case.assignment,
                version,
                None,
                Times(later, RIGA),
            )
            assert finding is not None or version in allowed


@given(st.lists(contracts(), min_size=1, max_size=4), st.booleans(), moments)
def test_rest_is_granted_as_a_whole_and_covers_what_comes_later(
    editions: list[list[Manifest]], names_them: bool, times: list[datetime]
) -> None:
    cluster = GrantCluster()
    uses = [access.use(None, web_service=access.ADDRESSES)]
    named = access.granted("v5") if names_them else None
    grant = access.rest_grant(spec={"contractVersions": named})
    cluster.put(worlds.registration(), worlds.eservice(spec={"uses": uses}), grant)
    place = place_of(grant)
    for number, edition in enumerate(editions):
        now = times[min(number, len(times) - 1)]
        cluster.put(access.rest_service(spec={"contracts": edition}))
        cluster.settle(now)
        day = str(today(now))
        served = any(one.get("endOfLife", day) >= day for one in edition)
        open_to = cluster.may_call(place)
        assert open_to == ({"webservices"} if served and not names_them else set())
        assert not cluster.of_kind("ConnectionTest"), "REST needs no test"
        finding = closed_now(
            WebServiceGrant.model_validate(cluster.objects[place]),
            WebService.model_validate(cluster.objects["WebService", access.HOLDER, access.ADDRESSES]),
            None,
            edition[0]["version"],
            None,
            Times(now, RIGA),
        )
        assert (finding is None) == (not names_them and edition[0].get("endOfLife", day) >= day)


def test_the_oracle_knows_what_is_in_order() -> None:
    """Otherwise the properties above would hold of a cluster in which nothing is ever open."""
    cluster = lived([], [NOW], [])
    cluster.settle(NOW)
    place = "WebServiceGrant", access.HOLDER, NAME
    assert cluster.states(place) == {"v4": GrantState.ACTIVE, "v5": GrantState.ACTIVE}
    assert may_open(cluster, place, "v5", NOW)
    assert not may_open(cluster, place, "v6", NOW)
