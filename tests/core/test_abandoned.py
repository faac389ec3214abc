# SPDX-License-Identifier: Apache-2.0
"""Notices that nobody hands over any more: of a deleted e-service, or by a channel that was unset."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eservice_operator.api.notices import Channel, Notices, NoticeState
from eservice_operator.api.template import EServiceTemplate, HeldSet
from eservice_operator.core.actions import Outcome
from eservice_operator.core.held_tidings import template_notices
from eservice_operator.core.letters import Delivery
from eservice_operator.core.registering import decide_registration, registration_status
from eservice_operator.core.templating import catalogue_of, template_status
from eservice_operator.core.world import TemplateWorld
from tests.core import test_posting as posting
from tests.support import worlds
from tests.support.postal import BOTH, SINK, Answer, PostalCluster, accepts, is_silent, postal, refuses
from tests.support.pure_cluster import status_body
from tests.support.pure_fleet import PureFleet
from tests.support.worlds import DAY, NOW

DECIDED = posting.DECIDED
ONLY_SINK = replace(worlds.POLICY, channels=((Channel.CLOUD_EVENTS, SINK),))


def states(notices: Notices) -> dict[str, set[NoticeState]]:
    found: dict[str, set[NoticeState]] = {}
    for notice in notices:
        found.setdefault(notice.channel.value, set()).add(notice.state)
    return found


@pytest.mark.parametrize("answer", [is_silent, refuses], ids=["being sent", "tried again"])
def test_a_revoked_decision_whose_e_service_is_gone_has_nothing_on_its_way(answer: Answer) -> None:
    fleet = PureFleet(posting.POLICY, kind=PostalCluster)
    fleet.templates[worlds.TEMPLATE] = worlds.template()
    cluster = fleet.join("one")
    assert isinstance(cluster, PostalCluster)
    fleet.settle(NOW)
    cluster.channel = answer
    fleet.put_template(worlds.template(posting.FOUR))
    fleet.settle(DECIDED)
    cluster.remove(cluster.service_place)
    fleet.settle(DECIDED)
    assert not cluster.of_kind("EService")
    (name,) = cluster.of_kind("UnpublishDecision")
    revoked = {"at": "2027-02-02", "reason": "the e-service has ended"}
    cluster.edit(("UnpublishDecision", "", name), spec={"revoked": revoked})
    fleet.settle(DECIDED + DAY)
    (decision,) = cluster.decisions
    assert decision.status.reason == "Revoked"
    assert {notice.state for notice in decision.status.notices} == {NoticeState.SUPERSEDED}
    assert {notice.error for notice in decision.status.notices} == {"no longer to come"}


def test_what_is_answered_while_an_e_service_is_being_deleted_is_written_down() -> None:
    cluster = postal()
    cluster.channel = is_silent
    cluster.put(worlds.template(posting.FOUR))
    cluster.settle(DECIDED)
    assert states(cluster.decisions[0].status.notices) == {
        "Email": {NoticeState.SENDING},
        "CloudEvents": {NoticeState.SENDING},
    }
    answer = Delivery(accepted=True, at=DECIDED)
    cluster.deliveries = {notice.id: answer for notice in cluster.decisions[0].status.notices}
    cluster.remove(cluster.service_place)
    cluster.reconcile(DECIDED)
    (decision,) = cluster.decisions
    assert states(decision.status.notices) == {"Email": {NoticeState.SENT}, "CloudEvents": {NoticeState.SENT}}
    assert decision.status.informed_at == DECIDED
    assert decision.status.state.value == "Scheduled", "nobody judges it while its e-service goes"


@pytest.mark.parametrize("answer", [is_silent, refuses], ids=["being sent", "tried again"])
def test_what_was_to_go_by_a_channel_that_is_unset_is_not_on_its_way(answer: Answer) -> None:
    cluster = postal()
    cluster.channel = answer
    cluster.put(worlds.template(posting.FOUR))
    cluster.settle(DECIDED)
    cluster.policy, cluster.channel = ONLY_SINK, accepts
    cluster.settle(DECIDED + DAY)
    notices = cluster.decisions[0].status.notices
    assert states(notices) == {"Email": {NoticeState.SUPERSEDED}, "CloudEvents": {NoticeState.SENT}}
    mails = [notice for notice in notices if notice.channel is Channel.EMAIL]
    assert {notice.error for notice in mails} == {"its channel is not set up any more"}


def test_nor_is_what_an_e_service_itself_was_to_tell() -> None:
    cluster = postal()
    cluster.channel = is_silent
    cluster.put(worlds.template(posting.FOUR))
    cluster.settle(DECIDED)
    assert cluster.status.notices
    cluster.policy = worlds.POLICY
    cluster.settle(DECIDED)
    assert {notice.state for notice in cluster.status.notices} == {NoticeState.SUPERSEDED}


def test_nor_what_a_registration_or_a_template_was_to_tell() -> None:
    decision = decide_registration(posting.registered())
    status = registration_status(decision, Outcome(()), NOW, posting.POLICY)
    later = decide_registration(posting.registered(status=status_body(status)))
    mails = registration_status(later, Outcome(()), NOW, ONLY_SINK).notices
    assert states(mails) == {"Email": {NoticeState.SUPERSEDED}, "CloudEvents": {NoticeState.SENDING}}

    template = EServiceTemplate.model_validate(worlds.template())
    held = (HeldSet(token="a1", since=NOW, count=12),)  # noqa: S106 - of a held set
    notices = template_notices(template, held, {}, NOW, posting.POLICY)
    braked = template.model_copy(update={"status": template.status.model_copy(update={"notices": notices})})
    told, _ = template_status(TemplateWorld(braked, catalogue_of(braked)), NOW, ONLY_SINK)
    assert states(told.notices) == {"Email": {NoticeState.SUPERSEDED}, "CloudEvents": {NoticeState.SENDING}}


def test_with_all_channels_set_up_everything_stays_on_its_way() -> None:
    cluster = postal()
    assert cluster.policy.channels == BOTH
    cluster.channel = is_silent
    cluster.put(worlds.template(posting.FOUR))
    cluster.settle(DECIDED)
    cluster.settle(DECIDED + DAY)
    assert states(cluster.decisions[0].status.notices) == {
        "Email": {NoticeState.SENDING},
        "CloudEvents": {NoticeState.SENDING},
    }
