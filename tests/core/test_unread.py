# SPDX-License-Identifier: Apache-2.0
"""An EService whose spec cannot be read is judged as it was last known: what takes happens, nothing is given.

The e-service is public on 3.0.0, and overdue from the first instant of 2027-06-01 in Riga, by 4.0.0.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eservice_operator.api import names
from eservice_operator.api.contested import Standing
from eservice_operator.api.decisions import DecisionState
from eservice_operator.api.reasons import ConditionType, Phase, Reason
from eservice_operator.core.actions import Create, Delete, Outcome, SetFinalizer, SetStatus, Update
from eservice_operator.core.decide import decide
from eservice_operator.core.faces import Face
from eservice_operator.core.facts import Facts
from eservice_operator.core.repairs import ROUTES
from eservice_operator.core.report import report
from eservice_operator.core.transitions import notes_elsewhere
from eservice_operator.core.unread import last_known
from eservice_operator.notice.content import read as read_notice
from tests.core.strategies_worlds import clusters, good_clusters, instants
from tests.support import worlds
from tests.support.pure_cluster import PureCluster, status_body
from tests.support.status import assert_status_sound
from tests.support.worlds import DAY, HOST, NAME, NOTICED, SECOND, TEMPLATE, at, image

ODD = "Dzīves-\nvietas \u202edeklarēšana"
KNOWN, DUE, LATE = at("2027-02-01"), at("2027-06-01", "00:00"), at("2027-06-20")
RENEWING = at("2027-05-26")
FOUR = (*worlds.VERSIONS, worlds.NEXT_VERSION)
AT_DECISION = ("UnpublishDecision", "", f"{NAME}-production-001")
AT_REGISTRATION = ("EServiceRegistration", "", NAME)
BROKEN = {"workload": {"port": 99_999}}
MENDED = {"workload": {"port": 8080}}
RENEWED = {"image": image("d"), "template": {"version": "4.0.0"}}
INVALID = ("True", Reason.INVALID_SPEC)


@pytest.fixture
def unread(public: PureCluster) -> PureCluster:
    """The public e-service, whose spec cannot be read any more."""
    public.edit_service(**BROKEN)
    public.settle(worlds.NOW)
    assert not public.log, "the last good children stay"
    assert public.reason(ConditionType.STALLED) == INVALID
    assert public.reason(ConditionType.PUBLISHED) == ("True", Reason.PUBLISHED)
    return public


def took(cluster: PureCluster) -> list[str]:
    """What was written, decisions and their record on the route apart: all of it takes."""
    others = [
        action
        for action in cluster.log
        if "UnpublishDecision" not in str(action) and action.reason != "what was decided is recorded"
    ]
    assert all(isinstance(action, Delete) for action in others), others
    return [action.ref.kind for action in others if isinstance(action, Delete)]


@pytest.mark.parametrize(
    "wrong",
    [
        BROKEN,
        {"template": {"version": "three"}},
        {"release": {"image": "no image"}},
        {"publication": {"hosts": ["no host"]}},
        {"productionRequest": {"requestedAt": "soon"}},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
@pytest.mark.parametrize("decided_before", [True, False])
def test_r8_binds_what_cannot_be_read(
    public: PureCluster, wrong: dict[str, Any], decided_before: bool
) -> None:
    if decided_before:
        public.put(worlds.template(FOUR))
        public.settle(KNOWN)
    public.edit_service(**wrong)
    public.put(worlds.template(FOUR))
    decision = public.settle(KNOWN)
    assert [one.status.state for one in public.decisions] == [DecisionState.SCHEDULED]
    assert public.status.template.decision == AT_DECISION[2]
    assert public.status.next is not None
    assert (public.status.next.action, public.status.next.at) == ("Unpublish", DUE)
    assert decision is not None
    public.advance(KNOWN, DUE - SECOND)
    assert public.routed()
    public.forget()

    public.advance(DUE - SECOND, DUE)
    assert took(public) == ["HTTPRoute"]
    assert public.decisions[0].status.effective_since == DUE
    assert public.reason(ConditionType.PUBLISHED) == ("False", Reason.TEMPLATE_OVERDUE)
    assert public.reason(ConditionType.TEMPLATE_CURRENT) == ("False", Reason.TEMPLATE_OVERDUE)
    assert public.reason(ConditionType.STALLED) == INVALID
    assert public.reason(ConditionType.READY) == ("False", Reason.INVALID_SPEC)
    assert public.phase() is Phase.INVALID
    assert public.status.public_url is None
    assert "Unpublished" in [note.reason for note in public.told]
    public.forget()
    public.advance(DUE, LATE)
    assert not public.log


@pytest.mark.parametrize(
    "wrong, shown",
    [
        (BROKEN, "Dzīvesvietas deklarēšana"),
        (BROKEN | {"publication": {"catalogue": {"title": {"lv": ODD}}}}, "Dzīves- vietas deklarēšana"),
        ({"publication": {"catalogue": {"title": {"lv": 7}}}}, ""),
    ],
)
def test_the_notice_page_has_what_can_be_read_of_its_title(
    cluster: PureCluster, wrong: dict[str, Any], shown: str
) -> None:
    """Also where an older operator took a title of several lines."""
    cluster.policy = NOTICED
    cluster.settle(worlds.NOW)
    cluster.edit_service(**wrong)
    cluster.edit(AT_REGISTRATION, spec={"suspended": {"reason": "an incident"}})
    cluster.settle(KNOWN)
    assert (cluster.phase(), cluster.face()) == (Phase.INVALID, Face.NOTICE)
    route = cluster.public_route()
    assert route is not None
    (told,) = route["spec"]["rules"][0]["filters"][0]["requestHeaderModifier"]["set"]
    _, content = read_notice([told["value"]])
    assert content.titles.get("lv", "") == shown


def test_a_title_that_an_older_operator_took_is_read(cluster: PureCluster) -> None:
    cluster.policy = NOTICED
    cluster.edit_service(publication={"catalogue": {"title": {"lv": ODD}}})
    cluster.settle(worlds.NOW)
    assert cluster.phase() is Phase.PUBLISHED


def test_a_suspension_binds_it_and_its_end_gives_nothing_back(unread: PureCluster) -> None:
    unread.edit(AT_REGISTRATION, spec={"suspended": {"reason": "an incident"}})
    unread.settle(KNOWN)
    assert took(unread) == ["HTTPRoute"]
    assert unread.reason(ConditionType.PUBLISHED) == ("False", Reason.REGISTRATION_SUSPENDED)
    assert unread.phase() is Phase.INVALID
    unread.forget()
    unread.edit(AT_REGISTRATION, spec={"suspended": None})
    unread.settle(KNOWN + DAY)
    assert not unread.log
    assert unread.reason(ConditionType.PUBLISHED) == ("False", Reason.INVALID_SPEC)

    unread.edit_service(**MENDED)
    unread.settle(KNOWN + DAY)
    assert unread.routed()
    assert unread.phase() is Phase.PUBLISHED
    assert unread.reason(ConditionType.STALLED) is None


def test_a_revoked_decision_is_closed(unread: PureCluster) -> None:
    unread.put(worlds.template(FOUR))
    unread.settle(KNOWN)
    unread.edit(AT_DECISION, spec={"revoked": {"at": "2027-03-01", "reason": "a wrong date"}})
    unread.advance(KNOWN, LATE)
    assert unread.decisions[0].status.reason == Reason.REVOKED
    assert unread.routed()
    assert took(unread) == []


def test_one_that_is_revoked_too_late_is_not_told_of_as_if_it_came_in_time(unread: PureCluster) -> None:
    unread.put(worlds.template(FOUR))
    unread.advance(KNOWN, DUE)
    unread.forget()
    unread.edit(AT_DECISION, spec={"revoked": {"at": "2027-06-02", "reason": "a wrong date"}})
    unread.advance(DUE, LATE)
    assert unread.reason(ConditionType.PUBLISHED) == ("False", Reason.INVALID_SPEC)
    assert "UnpublishCancelled" not in [note.reason for note in unread.told]


def test_nothing_is_mended_paused_or_moved(unread: PureCluster) -> None:
    unread.vandalise(("Service", worlds.NAMESPACE, NAME), spec={"ports": []})
    unread.remove(next(place for place in unread.objects if place[0] == "NetworkPolicy"))
    unread.edit_service(publication={"paused": {"reason": "moving house"}, "hosts": ["other.pmlp.example"]})
    unread.settle(KNOWN)
    assert not unread.log
    assert unread.one("HTTPRoute")["spec"]["hostnames"] == [HOST]


def renewing(cluster: PureCluster) -> None:
    """The institution moves to 4.0.0, and everything is in order but for the verification."""
    act = {"signedAt": "2027-05-24"} | RENEWED
    cluster.put(worlds.template(FOUR), worlds.act("act-d", spec=act))
    request = {"requestedAt": "2027-05-25", "requestedBy": "A. Ozola"}
    cluster.edit_service(
        release={"image": RENEWED["image"]}, template=RENEWED["template"], productionRequest=request
    )
    cluster.advance(KNOWN, RENEWING)


def test_a_renewal_that_could_switch_does_not_keep_the_overdue_release_public(public: PureCluster) -> None:
    renewing(public)
    assert len(public.replicas()) == 2, "the candidate runs"
    public.edit_service(**BROKEN)
    moment = "2027-05-26T08:00:00Z"
    verified = worlds.verification(
        "passed-d", metadata={"creationTimestamp": moment}, spec=RENEWED | {"verifiedAt": moment}
    )
    public.put(verified, worlds.act("act-d", spec=RENEWED | {"signedAt": "2027-01-20"}))
    public.edit_service(productionRequest={"requestedAt": "2027-01-21"})
    public.forget()
    public.advance(RENEWING, DUE)
    assert took(public) == ["HTTPRoute"], "nothing was given, so no switch; and R8 binds what is public"
    assert public.decisions[0].status.state is DecisionState.EFFECTIVE

    public.edit_service(**MENDED)
    public.advance(DUE, DUE + DAY)
    assert public.decisions[0].status.reason == Reason.RENEWED
    assert public.routed()
    assert public.public_letter() == "d"


@pytest.mark.parametrize("wrong", [BROKEN, {"template": {"version": "four"}}], ids=["beside", "itself"])
def test_a_wait_for_a_renewal_holds_to_its_end(public: PureCluster, wrong: dict[str, Any]) -> None:
    public.pods_start = False
    renewing(public)
    public.advance(RENEWING, DUE)
    assert public.decisions[0].status.reason == Reason.RENEWAL_UNDER_WAY
    wait = public.decisions[0].status.fairness
    public.edit_service(**wrong)
    public.forget()
    public.advance(DUE, DUE + 3 * DAY)
    assert public.decisions[0].status.reason == Reason.RENEWAL_UNDER_WAY
    public.advance(DUE + 3 * DAY, DUE + 60 * DAY)
    assert public.decisions[0].status.fairness == wait
    assert public.decisions[0].status.state is DecisionState.EFFECTIVE
    assert took(public) == ["HTTPRoute"]


def test_what_is_deleted_goes(unread: PureCluster) -> None:
    unread.remove(unread.service_place)
    assert unread.settle(KNOWN) is None
    assert not unread.routed()


def test_the_release_is_known_from_the_status_where_no_snapshot_is_left(unread: PureCluster) -> None:
    for place in [place for place in unread.objects if place[0] == "ControllerRevision"]:
        unread.remove(place)
    unread.edit_service(template={"version": "three"})
    unread.put(worlds.template(FOUR))
    unread.advance(KNOWN, LATE)
    assert took(unread) == ["HTTPRoute"]
    assert unread.reason(ConditionType.PUBLISHED) == ("False", Reason.TEMPLATE_OVERDUE)
    assert unread.decisions[0].spec.release.template.version == "3.0.0"


def test_who_wants_its_host_meanwhile_is_listed_and_told_once(unread: PureCluster) -> None:
    unread.contenders = (worlds.claim(HOST, "Ingress shop/shop", Standing.BESIDE),)
    unread.forget()
    assert len(notes_elsewhere(Facts(unread.world(), KNOWN, unread.policy))) == 1
    unread.settle(KNOWN)
    assert [one.by for one in unread.status.contested] == ["Ingress shop/shop"]
    assert [note.reason for note in unread.told] == [Reason.HOST_CONTESTED]
    assert notes_elsewhere(Facts(unread.world(), LATE, unread.policy)) == ()
    unread.contenders = ()
    unread.settle(LATE)
    assert unread.status.contested == ()


@settings(max_examples=100)
@given(st.one_of(clusters(), good_clusters()), instants())
def test_nothing_is_ever_given(cluster: PureCluster, now: datetime) -> None:
    world = replace(cluster.world(), errors=("spec.workload.port: 99999 is too high",))
    decision = decide(world, now, cluster.policy)
    for action in decision.actions:
        match action:
            case Create(manifest=manifest):
                assert manifest["kind"] == "UnpublishDecision"
            case SetStatus(ref=ref):
                assert ref.kind == "UnpublishDecision"
            case Update(manifest=manifest):
                assert manifest["kind"] == "HTTPRoute"
                (route,) = (child for key, child in world.children.items() if key[0] == "HTTPRoute")
                shows = manifest["metadata"]["labels"][names.SHOWS_LABEL]
                assert shows == Face.NOTICE or manifest["spec"] == route.spec, "only a decision is recorded"
            case Delete(ref=ref):
                assert ref.kind in ROUTES
            case SetFinalizer(present=present):
                assert not present
            case _:
                raise AssertionError(action)
    assert decision.next_at is None or decision.next_at > now.replace(microsecond=0)
    before, status = world.service.status, report(decision, Outcome(()))
    body = {"kind": "EService", "metadata": {"name": NAME, "generation": world.service.metadata.generation}}
    assert_status_sound(body | {"status": status_body(status)}, before=before)
    again = replace(world, service=world.service.model_copy(update={"status": status}))
    assert report(decide(again, now, cluster.policy), Outcome(())) == status


@pytest.mark.parametrize("spec", [{"registration": "No Name"}, {"environment": "Moon"}])
def test_whose_it_is_has_to_be_readable(unread: PureCluster, spec: dict[str, str]) -> None:
    body = worlds.merged(unread.objects[unread.service_place], {"spec": spec})
    assert last_known(body, unread.world().snapshots) is None


def test_of_one_that_never_ran_nothing_is_known() -> None:
    assert last_known(worlds.eservice(spec={"release": {"image": "no image"}}), ()) is None
    wrong = worlds.eservice(spec={"template": {"name": TEMPLATE, "version": "three"}})
    assert last_known(wrong, ()) is None
