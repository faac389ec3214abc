# SPDX-License-Identifier: Apache-2.0
"""An e-service whose public hosts somebody looks at: what is said of it, and that nothing is done for it."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from eservice_operator.api.base import ConditionStatus
from eservice_operator.api.eservice import EServiceStatus
from eservice_operator.api.notices import Channel, NoticeKind
from eservice_operator.api.reasons import ConditionType, Phase
from eservice_operator.api.seen import Answered, PublicationStatus
from eservice_operator.core.actions import Manifest, Outcome
from eservice_operator.core.conditions import find
from eservice_operator.core.decide import decide
from eservice_operator.core.faces import Face
from eservice_operator.core.outside_in import question_of
from eservice_operator.core.report import report
from eservice_operator.core.sightings import PATIENCE, Sighting, Witnessed
from eservice_operator.core.tidings import of_change
from tests.support import worlds
from tests.support.postal import sent
from tests.support.pure_cluster import PureCluster
from tests.support.status import assert_status_sound
from tests.support.worlds import HOST, NOTICED, NOW, POLICY, ROUTE, SECOND, at

PROBED = replace(NOTICED, probed=True, marked=True)
PAUSE: Manifest = {"reason": "maintenance"}


def sees(cluster: PureCluster, answered: Answered | None, since: datetime = NOW) -> None:
    """The operator has been answered so about the route as it is now."""
    route = cluster.of_kind("HTTPRoute").get(ROUTE)
    generation = 0 if route is None else route["metadata"]["generation"]
    hosts = {} if answered is None else {HOST: Sighting(answered, 200, since)}
    cluster.sightings = Witnessed(cluster.face(), generation, since, hosts)


def published(cluster: PureCluster) -> str:
    condition = find(cluster.status.conditions, ConditionType.PUBLISHED)
    assert condition is not None
    return f"{condition.status} {condition.reason}"


def ready(cluster: PureCluster) -> tuple[str, bool]:
    conditions = cluster.status.conditions
    said = find(conditions, ConditionType.READY)
    assert said is not None
    return said.status.value, find(conditions, ConditionType.RECONCILING) is not None


@pytest.fixture
def probed(cluster: PureCluster) -> PureCluster:
    """Published by the gateway's word, and nobody has looked yet."""
    cluster.policy = PROBED
    cluster.settle(NOW)
    assert cluster.face() is Face.LIVE
    return cluster


@pytest.fixture
def seen(probed: PureCluster) -> PureCluster:
    """Public, and seen from outside."""
    sees(probed, Answered.E_SERVICE)
    probed.settle(NOW)
    assert published(probed) == "True Published"
    probed.forget()
    return probed


def test_it_is_published_once_it_was_seen(probed: PureCluster) -> None:
    assert (published(probed), ready(probed), probed.phase()) == (
        "Unknown AwaitingProbe",
        ("False", True),
        Phase.PUBLISHED,
    )
    assert probed.status.public_url is None
    sees(probed, Answered.NOTHING)
    probed.settle(NOW + SECOND)
    assert published(probed) == "Unknown AwaitingProbe"
    sees(probed, Answered.E_SERVICE)
    probed.settle(NOW + 2 * SECOND)
    assert (published(probed), ready(probed)) == ("True Published", ("True", False))
    (told,) = [note for note in probed.told if note.reason == "Published"]
    assert told.text == "public at https://address.latvija.example/", "by the gateway's word it was so before"
    (host,) = probed.status.publication.hosts
    assert (host.host, host.answer, host.code, host.since) == (HOST, Answered.E_SERVICE, 200, NOW)


def test_nothing_is_said_of_it_while_nobody_looks(cluster: PureCluster) -> None:
    cluster.settle(NOW)
    assert published(cluster) == "True Published"
    assert cluster.status.publication == PublicationStatus()


def test_a_probe_that_sees_nothing_holds_nothing_up_for_long(probed: PureCluster) -> None:
    sees(probed, Answered.TIMED_OUT)
    probed.settle(NOW + PATIENCE - SECOND)
    assert published(probed) == "Unknown AwaitingProbe"
    probed.settle(NOW + PATIENCE)
    assert (published(probed), ready(probed)) == ("True Published", ("True", False))
    said = find(probed.status.conditions, ConditionType.PUBLISHED)
    assert said is not None
    assert said.message.endswith(f"not confirmed from outside: {HOST} (no answer within 5 s, 200)")


@pytest.mark.parametrize("instead", [Answered.NOTICE, Answered.NOTHING])
def test_a_live_route_that_another_page_answers_for_is_waited_for_and_then_disagreed_with(
    probed: PureCluster, instead: Answered
) -> None:
    sees(probed, instead)
    probed.settle(NOW + PATIENCE - SECOND)
    assert (published(probed), ready(probed)) == ("Unknown AwaitingProbe", ("False", True))
    probed.forget()
    probed.settle(NOW + PATIENCE)
    assert (published(probed), probed.phase()) == ("Unknown DoesNotAnswer", Phase.PUBLISHED)
    assert ready(probed) == ("True", False), "it waits for people now"
    assert [(note.type, note.reason) for note in probed.told] == [("Warning", "DoesNotAnswer")]
    sees(probed, Answered.E_SERVICE)
    probed.settle(NOW + PATIENCE + SECOND)
    assert published(probed) == "True Published"


def test_what_was_seen_and_answers_no_more_is_told_once(seen: PureCluster) -> None:
    sees(seen, Answered.NOTHING, NOW)
    seen.settle(NOW + PATIENCE)
    seen.settle(NOW + PATIENCE + SECOND)
    assert published(seen) == "Unknown DoesNotAnswer"
    assert [note.reason for note in seen.told] == ["DoesNotAnswer"]


def test_off_is_final_once_the_e_service_no_longer_answers(seen: PureCluster) -> None:
    assert question_of(decide(seen.world(), NOW, PROBED)) is not None
    seen.edit_service(publication={"paused": PAUSE})
    assert question_of(decide(seen.world(), NOW, PROBED)) is None, "the route shows what it is not to show"
    seen.settle(NOW + SECOND)
    assert seen.face() is Face.NOTICE, "nothing waited for the probe"
    assert (published(seen), seen.phase(), ready(seen)) == (
        "Unknown AwaitingProbe",
        Phase.PAUSED,
        ("False", True),
    )
    asked = NOW + SECOND
    sees(seen, Answered.E_SERVICE, asked)
    seen.settle(asked + PATIENCE)
    assert (published(seen), seen.phase()) == ("Unknown StillAnswers", Phase.PAUSED)
    sees(seen, Answered.NOTICE, asked)
    seen.settle(asked + PATIENCE + SECOND)
    assert (published(seen), ready(seen)) == ("False Paused", ("True", False))
    assert [note.reason for note in seen.told] == ["Paused", "StillAnswers"]
    assert seen.status.publication.route is not None
    assert seen.status.publication.route.face == "Notice"


def test_without_a_notice_page_a_refused_connection_is_the_end_of_it(seen: PureCluster) -> None:
    seen.policy = replace(POLICY, probed=True, marked=True)
    seen.edit_service(publication={"paused": PAUSE})
    seen.settle(NOW + SECOND)
    assert seen.face() is Face.NOTHING
    question = question_of(decide(seen.world(), NOW + SECOND, seen.policy))
    assert question is not None
    assert (question.face, question.generation, question.hosts, question.path) == (
        Face.NOTHING,
        0,
        (HOST,),
        "/",
    )
    sees(seen, Answered.REFUSED, NOW + SECOND)
    seen.settle(NOW + 2 * SECOND)
    assert published(seen) == "False Paused"


def test_somebody_else_who_answers_is_told_and_changes_nothing(seen: PureCluster) -> None:
    sees(seen, Answered.UNMARKED, NOW - timedelta(days=1))
    before = len(seen.log)
    seen.settle(NOW + SECOND)
    assert (published(seen), seen.phase(), ready(seen)) == (
        "Unknown AnsweredByOther",
        Phase.PUBLISHED,
        ("True", False),
    )
    assert len(seen.log) == before, "no write but the status"
    assert [note.reason for note in seen.told] == ["AnsweredByOther"]
    sees(seen, Answered.E_SERVICE, NOW - timedelta(days=1))
    seen.settle(NOW + 2 * SECOND)
    assert published(seen) == "True Published"
    assert seen.told[-1].text == "public again at https://address.latvija.example/"


@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.parametrize("answered", [Answered.UNMARKED, Answered.NOTHING, Answered.E_SERVICE])
def test_what_only_people_can_mend_is_in_progress_no_longer_than_the_patience(
    seen: PureCluster, answered: Answered, paused: bool
) -> None:
    """DNS still at the old portal, a CDN's 503, a cache: no batch of GitOps waits for weeks."""
    if paused:
        seen.edit_service(publication={"paused": PAUSE})
    seen.settle(NOW + SECOND)
    asked = NOW + SECOND
    sees(seen, answered, asked)
    seen.settle(asked + PATIENCE - SECOND)
    early = published(seen)
    assert ready(seen) == ("False", True) if early.startswith("Unknown") else ("True", False)
    seen.settle(asked + PATIENCE)
    late = published(seen)
    assert ready(seen) == ("True", False)
    said = find(seen.status.conditions, ConditionType.READY)
    assert said is not None
    assert late.split()[0] != "Unknown" or late.endswith(f" {said.reason}")
    assert_status_sound(seen.objects[seen.service_place])


def test_after_a_restart_what_was_written_down_counts_and_nothing_is_written(seen: PureCluster) -> None:
    statuses = len(seen.statuses)
    seen.sightings = None
    for later in (SECOND, PATIENCE, timedelta(hours=1)):
        seen.settle(NOW + later)
    assert published(seen) == "True Published"
    assert len(seen.statuses) == statuses


def test_a_probe_that_is_switched_on_takes_nothing_back_and_off_leaves_nothing(public: PureCluster) -> None:
    public.policy = replace(POLICY, probed=True, marked=False)
    public.settle(NOW + SECOND)
    assert (published(public), public.statuses) == ("True Published", [])
    sees(public, Answered.UNMARKED, NOW)
    public.settle(NOW + 2 * SECOND)
    assert public.status.publication.hosts
    public.policy = POLICY
    public.settle(NOW + 3 * SECOND)
    assert (published(public), public.status.publication) == ("True Published", PublicationStatus())


def test_what_was_never_public_is_not_asked_about(cluster: PureCluster) -> None:
    cluster.policy = PROBED
    cluster.remove(("ProductionVerification", cluster.service_place[1], "verified-1"))
    cluster.settle(NOW)
    assert question_of(decide(cluster.world(), NOW, cluster.policy)) is None


def test_a_route_is_asked_about_when_the_gateway_says_that_it_serves_it(cluster: PureCluster) -> None:
    cluster.policy = PROBED
    cluster.gateway_answers = False
    cluster.settle(NOW)
    assert cluster.face() is Face.LIVE
    assert question_of(decide(cluster.world(), NOW, cluster.policy)) is None
    assert published(cluster) == "False AwaitingGateway"
    cluster.gateway_answers = True
    cluster.settle(NOW)
    question = question_of(decide(cluster.world(), NOW, cluster.policy))
    assert question is not None
    assert (question.hosts, question.mark, question.marked) == ((HOST,), ROUTE, True)


OFF = at("2027-06-02")


@cache
def last_day() -> PureCluster:
    """Public and seen, on the last day before R8 takes it off."""
    cluster = PureCluster(policy=PROBED)
    cluster.put(
        worlds.template((*worlds.VERSIONS, worlds.NEXT_VERSION)),
        *(worlds.registration(), worlds.act(), worlds.verification(), worlds.eservice()),
    )
    cluster.settle(NOW)
    sees(cluster, Answered.E_SERVICE)
    cluster.advance(at("2027-02-01"), at("2027-05-31"))
    cluster.forget()
    return cluster


@pytest.fixture
def overdue() -> PureCluster:
    """That, for one test."""
    return copy.deepcopy(last_day())


def ends(cluster: PureCluster) -> list[str]:
    told = [note.reason for note in cluster.told]
    return [one for one in told if one.startswith(("Unpublish", "Paus", "Still"))]


def test_an_event_says_unpublished_when_that_is_final_and_once(overdue: PureCluster) -> None:
    overdue.settle(OFF)
    assert (published(overdue), ends(overdue)) == ("Unknown AwaitingProbe", ["Unpublishing"])
    (leaving,) = [note for note in overdue.told if note.reason == "Unpublishing"]
    assert leaving.text.endswith(f"not yet seen from outside to be off: {HOST} (no answer yet)")
    sees(overdue, Answered.E_SERVICE, OFF)
    overdue.settle(OFF + PATIENCE)
    sees(overdue, Answered.NOTICE, OFF)
    overdue.settle(OFF + PATIENCE + SECOND)
    assert (published(overdue), ends(overdue)) == (
        "False TemplateOverdue",
        ["Unpublishing", "StillAnswers", "Unpublished"],
    )
    overdue.forget()
    sees(overdue, Answered.E_SERVICE, OFF)
    overdue.settle(OFF + 2 * PATIENCE)
    sees(overdue, Answered.NOTICE, OFF)
    overdue.settle(OFF + 3 * PATIENCE)
    assert (published(overdue), ends(overdue)) == ("False TemplateOverdue", ["StillAnswers"])


@pytest.mark.parametrize("first", [Answered.UNMARKED, Answered.NOTHING])
@pytest.mark.parametrize("paused", [False, True])
def test_what_was_in_doubt_when_it_left_is_told_too(
    overdue: PureCluster, first: Answered, paused: bool
) -> None:
    sees(overdue, first, NOW)
    overdue.settle(at("2027-05-31") + SECOND)
    assert published(overdue).startswith("Unknown")
    overdue.forget()
    if paused:
        overdue.edit_service(publication={"paused": PAUSE})
        overdue.settle(at("2027-05-31") + 2 * SECOND)
    else:
        overdue.settle(OFF)
    sees(overdue, Answered.NOTICE, OFF)
    overdue.settle(OFF + SECOND)
    wanted = ["Paused"] if paused else ["Unpublishing", "Unpublished"]
    assert [one for one in ends(overdue) if one in {"Paused", "Unpublishing", "Unpublished"}] == wanted


def test_off_by_a_spec_that_cannot_be_read_is_told_when_it_is_final(overdue: PureCluster) -> None:
    overdue.edit_service(workload={"port": 99_999})
    overdue.settle(at("2027-05-31") + SECOND)
    overdue.settle(OFF)
    sees(overdue, Answered.NOTICE, OFF)
    overdue.settle(OFF + SECOND)
    assert (overdue.phase(), ends(overdue)) == (Phase.INVALID, ["Unpublishing", "Unpublished"])


@pytest.mark.parametrize("told", [False, True])
def test_off_and_unreadable_is_told_also_where_it_still_answered_for_a_time(
    overdue: PureCluster, told: bool
) -> None:
    """The history does not say when it left then: the ledger says whether people know."""
    overdue.edit_service(workload={"port": 99_999})
    overdue.settle(at("2027-05-31") + SECOND)
    overdue.settle(OFF)
    overdue.policy = replace(PROBED, channels=((Channel.EMAIL, ""),) if told else ())
    for times in (1, 2):
        sees(overdue, Answered.E_SERVICE, OFF)
        overdue.settle(OFF + times * PATIENCE)
        assert published(overdue) == "Unknown StillAnswers"
        sees(overdue, Answered.NOTICE, OFF)
        overdue.settle(OFF + times * PATIENCE + SECOND)
        assert (published(overdue), overdue.phase()) == ("False TemplateOverdue", Phase.INVALID)
    again = ["StillAnswers"] if told else ["StillAnswers", "Unpublished"]
    assert ends(overdue) == ["Unpublishing", "StillAnswers", "Unpublished", *again]


@pytest.mark.parametrize("paused", [False, True])
def test_what_is_doubted_from_outside_is_served_while_the_gateway_is_silent(
    seen: PureCluster, paused: bool
) -> None:
    """The doubt says nothing of the gateway, and its silence nothing of the doubt."""
    sees(seen, Answered.NOTHING, NOW)
    seen.settle(NOW + PATIENCE)
    assert (published(seen), seen.phase()) == ("Unknown DoesNotAnswer", Phase.PUBLISHED)
    seen.forget()
    seen.gateway_answers = False
    seen.edit_service(publication={"paused": PAUSE} if paused else {"path": "/declare"})
    seen.settle(NOW + PATIENCE + SECOND)
    assert seen.face() is (Face.NOTICE if paused else Face.LIVE)
    assert (published(seen), seen.phase(), seen.told) == ("Unknown AwaitingGateway", Phase.PUBLISHED, [])
    assert ready(seen) == ("False", True)
    assert_status_sound(seen.objects[seen.service_place])
    seen.gateway_answers = True
    seen.settle(NOW + PATIENCE + SECOND)
    assert seen.phase() is (Phase.PAUSED if paused else Phase.PUBLISHED)
    assert published(seen) == ("Unknown AwaitingProbe" if paused else "Unknown DoesNotAnswer")


def test_what_was_doubted_and_cannot_be_read_is_served_too(seen: PureCluster) -> None:
    sees(seen, Answered.NOTHING, NOW)
    seen.settle(NOW + PATIENCE)
    seen.edit_service(workload={"port": 99_999})
    seen.settle(NOW + PATIENCE + SECOND)
    assert (published(seen), seen.phase()) == ("Unknown DoesNotAnswer", Phase.INVALID)
    assert seen.world().service.status.phase is Phase.INVALID
    assert decide(seen.world(), NOW + PATIENCE + SECOND, PROBED).facts.was_public


STEPS = st.sampled_from(["off", "on", "pause", "go on", *Answered])


@settings(max_examples=30, deadline=None)
@given(st.lists(STEPS, min_size=3, max_size=14))
@example(["off", "Notice", "pause", "EService", "go on", "Notice"])
def test_whatever_is_seen_unpublished_is_said_of_what_is_final_and_once(steps: list[str]) -> None:
    """A deferral brings it back on the route, and its revocation takes it off again."""
    cluster, now, said_off = copy.deepcopy(last_day()), OFF, False
    for step in steps:
        now += PATIENCE
        match step:
            case "off" | "on":
                revoked = {"at": str(now.date()), "reason": "so decided"} if step == "off" else None
                cluster.put(worlds.deferral("2027-07-31", spec={"revoked": revoked}))
            case "pause" | "go on":
                cluster.edit_service(publication={"paused": PAUSE if step == "pause" else None})
            case _:
                sees(cluster, Answered(step), now - PATIENCE)
        cluster.settle(now)
        for note in cluster.told:
            if note.reason == "Unpublished":
                assert not said_off, "once"
                assert published(cluster) == "False TemplateOverdue"
            said_off = note.reason == "Unpublished" or (said_off and note.reason not in BACK)
        cluster.forget()


BACK = {"Published", "Republished", "Unpublishing", "Paused"}


def status_saying(base: EServiceStatus, said: str, told: NoticeKind | None) -> EServiceStatus:
    """A status with that status and reason of Published, and with the last notice that people had."""
    status, reason = said.split()
    conditions = tuple(
        one.model_copy(update={"status": ConditionStatus(status), "reason": reason})
        if one.type == ConditionType.PUBLISHED
        else one
        for one in base.conditions
    )
    notices = () if told is None else (sent(told, NOW),)
    return base.model_copy(update={"conditions": conditions, "notices": notices})


@pytest.mark.parametrize(
    "before, after, had, told",
    [
        ("True Published", "Unknown AwaitingProbe", None, False),
        ("Unknown AwaitingProbe", "False TemplateOverdue", None, True),
        ("Unknown AwaitingProbe", "False TemplateOverdue", NoticeKind.REPUBLISHED, True),
        ("True Published", "False TemplateOverdue", None, True),
        ("False TemplateOverdue", "Unknown StillAnswers", NoticeKind.UNPUBLISHED, False),
        ("Unknown StillAnswers", "False TemplateOverdue", NoticeKind.UNPUBLISHED, False),
    ],
)
def test_people_are_told_of_an_unpublication_when_it_is_final_and_once(
    seen: PureCluster, before: str, after: str, had: NoticeKind | None, told: bool
) -> None:
    """R8: also where the e-service is seen again for a while afterwards."""
    old, new = (status_saying(seen.status, said, had) for said in (before, after))
    kinds = {tiding.kind for tiding in of_change(old, new)}
    assert (NoticeKind.UNPUBLISHED in kinds) is told


@given(st.sampled_from(list(Answered)) | st.none(), st.integers(0, 100), st.booleans())
def test_no_answer_changes_what_is_done(answered: Answered | None, age: int, paused: bool) -> None:
    cluster = PureCluster(policy=PROBED)
    cluster.put(
        worlds.template(), worlds.registration(), worlds.act(), worlds.verification(), worlds.eservice()
    )
    cluster.settle(NOW)
    if paused:
        cluster.edit_service(publication={"paused": PAUSE})
    sees(cluster, answered, NOW - timedelta(seconds=age))
    world, blind = cluster.world(), replace(cluster.world(), sightings=None)
    decision, without = decide(world, NOW, PROBED), decide(blind, NOW, PROBED)
    assert (decision.actions, decision.next_at) == (without.actions, without.next_at)
    status, other = report(decision, Outcome(())), report(without, Outcome(()))
    assert (status.phase, status.history, status.gates) == (other.phase, other.history, other.gates)
    assert_status_sound(cluster.objects[cluster.service_place])
