# SPDX-License-Identifier: Apache-2.0
"""What the public route shows: the e-service, the notice page or nothing, and never anything in between."""

from __future__ import annotations

import base64
import copy
import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from eservice_operator.api import names
from eservice_operator.api.base import LocalizedTitle
from eservice_operator.api.publication import Catalogue, Publication
from eservice_operator.api.reasons import ConditionType, Phase, Reason
from eservice_operator.core.actions import Create, Manifest, Update
from eservice_operator.core.cleaning import one_line
from eservice_operator.core.conditions import find
from eservice_operator.core.decide import decide
from eservice_operator.core.faces import Face
from eservice_operator.core.notice_rule import LONGEST_TITLE, LONGEST_VALUE, notice_value
from eservice_operator.core.remembered import kept_off
from eservice_operator.core.unpublication import blocking_decision
from tests.core.strategies_worlds import clusters, good_clusters, instants
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import HOST, NOTICED, NOW, ROUTES

few = settings(max_examples=max(1, settings().max_examples // 3))
any_clusters = st.one_of(clusters(), good_clusters())
PAUSE: Manifest = {"reason": "maintenance", "until": "2026-10-20T00:00:00Z"}


def rules_of(cluster: PureCluster) -> list[Manifest]:
    return list(cluster.one("HTTPRoute")["spec"]["rules"])


def told(cluster: PureCluster) -> dict[str, Any]:
    """What the notice page is told."""
    (setting,) = rules_of(cluster)[0]["filters"][0]["requestHeaderModifier"]["set"]
    assert setting["name"] == names.NOTICE_HEADER
    value = setting["value"]
    return dict(json.loads(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))))


@pytest.fixture
def noticed(cluster: PureCluster) -> PureCluster:
    """A public e-service at rest, where there is a notice page."""
    cluster.policy = NOTICED
    cluster.settle(NOW)
    assert cluster.face() is Face.LIVE
    cluster.forget()
    return cluster


def pause(cluster: PureCluster, paused: Manifest | None) -> None:
    cluster.edit_service(publication={"paused": paused})
    cluster.settle(NOW)


def test_what_a_client_tells_the_notice_page_never_reaches_the_e_service(noticed: PureCluster) -> None:
    """Nobody but the operator sets that header: set over it where it is read, removed where it is not."""
    (live,) = rules_of(noticed)
    assert [one["requestHeaderModifier"] for one in live["filters"]] == [{"remove": [names.NOTICE_HEADER]}]
    noticed.policy = replace(NOTICED, probed=True, marked=True)
    noticed.settle(NOW)
    (live,) = rules_of(noticed)
    kinds = [one["type"] for one in live["filters"]]
    assert kinds == ["RequestHeaderModifier", "ResponseHeaderModifier"]


def test_a_pause_swaps_the_rule_in_place_and_its_end_swaps_it_back(noticed: PureCluster) -> None:
    before = copy.deepcopy(noticed.one("HTTPRoute"))
    pause(noticed, PAUSE)
    assert noticed.writes() == {"Update HTTPRoute": 1}
    assert noticed.face() is Face.NOTICE
    assert noticed.one("HTTPRoute")["spec"]["hostnames"] == [HOST]
    (rule,) = rules_of(noticed)
    (backend,) = rule["backendRefs"]
    assert (backend["namespace"], backend["name"], backend["port"]) == (ROUTES, "eservice-notice", 80)
    assert told(noticed)["until"] == "2026-10-20T00:00:00Z"
    published = find(noticed.status.conditions, ConditionType.PUBLISHED)
    assert published is not None
    assert (published.status, published.reason) == ("False", Reason.PAUSED)
    assert published.message == "paused by the institution: maintenance; the notice page is shown"
    assert noticed.reason(ConditionType.READY) == ("True", Reason.PAUSED)
    assert (noticed.phase(), noticed.status.public_url) == (Phase.PAUSED, None)

    noticed.forget()
    pause(noticed, None)
    assert noticed.writes() == {"Update HTTPRoute": 1}
    after = noticed.one("HTTPRoute")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["spec"] == before["spec"]
    assert noticed.reason(ConditionType.PUBLISHED) == ("True", Reason.PUBLISHED)


def test_published_follows_the_gateway_and_not_the_write(noticed: PureCluster) -> None:
    noticed.gateway_answers = False
    pause(noticed, PAUSE)
    assert noticed.face() is Face.NOTICE
    assert noticed.reason(ConditionType.PUBLISHED) == ("True", Reason.AWAITING_GATEWAY), "it still serves it"
    assert noticed.reason(ConditionType.RECONCILING) == ("True", Reason.AWAITING_GATEWAY)
    noticed.gateway_answers = True
    noticed.settle(NOW)
    assert noticed.reason(ConditionType.PUBLISHED) == ("False", Reason.PAUSED)

    noticed.gateway_answers = False
    pause(noticed, None)
    assert noticed.face() is Face.LIVE
    assert noticed.reason(ConditionType.PUBLISHED) == ("False", Reason.AWAITING_GATEWAY), "it still shows it"
    assert noticed.phase() is Phase.INSTALLING
    noticed.gateway_answers = True
    noticed.settle(NOW)
    assert noticed.reason(ConditionType.PUBLISHED) == ("True", Reason.PUBLISHED)


def test_a_notice_that_the_gateway_refuses_is_said_and_keeps_nothing_up(noticed: PureCluster) -> None:
    noticed.gateway_refuses = "BackendNotFound"
    pause(noticed, PAUSE)
    assert noticed.face() is Face.NOTICE
    published = find(noticed.status.conditions, ConditionType.PUBLISHED)
    assert published is not None
    assert (published.status, published.reason) == ("False", Reason.PAUSED)
    assert "the notice page is not shown: Gateway gateway-system/public" in published.message
    assert "BackendNotFound" in published.message


def test_a_gate_that_closes_meanwhile_holds_it_on_the_notice_page(noticed: PureCluster) -> None:
    """What the notice shows is not in public use: it comes back through every gate."""
    pause(noticed, PAUSE)
    noticed.put(
        worlds.verification(
            "later",
            metadata={"creationTimestamp": "2026-10-13T08:00:00Z"},
            spec={"outcome": "Failed", "verifiedAt": "2026-10-13T08:00:00Z"},
        )
    )
    noticed.forget()
    pause(noticed, None)
    assert noticed.face() is Face.NOTICE
    assert noticed.reason(ConditionType.PUBLISHED) == ("False", Reason.VERIFICATION_FAILED)
    assert "until" not in told(noticed)


def test_a_host_that_is_no_longer_its_own_leaves_the_notice(noticed: PureCluster) -> None:
    pause(noticed, PAUSE)
    noticed.put(
        worlds.registration(spec={"hosts": [{"environment": "Production", "host": "b.latvija.example"}]})
    )
    noticed.settle(NOW)
    assert noticed.face() is Face.NOTHING
    noticed.put(worlds.registration())
    noticed.settle(NOW)
    assert noticed.face() is Face.NOTICE
    assert noticed.one("HTTPRoute")["spec"]["hostnames"] == [HOST]


def test_a_notice_is_put_on_no_host_that_somebody_else_has(noticed: PureCluster) -> None:
    noticed.policy = worlds.POLICY
    pause(noticed, PAUSE)
    assert noticed.face() is Face.NOTHING
    noticed.policy, noticed.claims = NOTICED, ((HOST, "HTTPRoute elsewhere/route"),)
    noticed.settle(NOW)
    assert noticed.face() is Face.NOTHING
    noticed.claims = ()
    noticed.settle(NOW)
    assert noticed.face() is Face.NOTICE


def test_the_end_of_the_notice_page_takes_its_routes(noticed: PureCluster) -> None:
    pause(noticed, PAUSE)
    noticed.policy = worlds.POLICY
    noticed.settle(NOW)
    assert noticed.face() is Face.NOTHING
    assert noticed.reason(ConditionType.PUBLISHED) == ("False", Reason.PAUSED)


def test_a_deleted_e_service_takes_its_notice_with_it(noticed: PureCluster) -> None:
    pause(noticed, PAUSE)
    noticed.remove(noticed.service_place)
    noticed.settle(NOW)
    assert not noticed.of_kind("HTTPRoute")


@few
@given(any_clusters, instants())
def test_the_route_shows_what_was_decided_and_what_is_kept_off_never_serves(
    cluster: PureCluster, now: datetime
) -> None:
    decision = cluster.settle(now)
    assume(decision is not None)
    assert decision is not None
    leaving = decision.facts.world.service.metadata.deletion_timestamp is not None
    routes = [*cluster.of_kind("HTTPRoute").values(), *cluster.of_kind("Ingress").values()]
    stuck = any("deletionTimestamp" in body["metadata"] for body in routes)
    assume(not leaving and not stuck and not decision.actions and decision.facts.public_name is not None)
    facts = decision.facts
    assert cluster.face() is decision.rollout.face
    template = facts.public_template
    held = (
        facts.production
        and template is not None
        and (blocking_decision(facts, template) is not None or kept_off(facts, template) is not None)
    )
    if held or facts.paused or facts.suspended:
        assert cluster.face() is not Face.LIVE


@given(any_clusters, instants())
def test_no_rule_without_a_backend_and_none_with_weight_zero(cluster: PureCluster, now: datetime) -> None:
    """A gateway answers 500 to both, which is no way to take an e-service off."""
    for action in decide(cluster.world(), now, cluster.policy).actions:
        if isinstance(action, Create | Update) and action.manifest["kind"] == "HTTPRoute":
            (rule,) = action.manifest["spec"]["rules"]
            (backend,) = rule["backendRefs"]
            assert backend.get("weight", 1) > 0
            assert backend["name"]
            assert action.manifest["spec"]["hostnames"]


words = st.text(max_size=2_000)


@given(
    words,
    words,
    st.sampled_from([None, "https://e.example/" + "a" * 1_000, "https://e.example/" + "ā" * 800]),
)
def test_what_the_page_is_told_fits_into_a_header(lv: str, en: str, url: str | None) -> None:
    title = LocalizedTitle.model_construct(lv=lv, en=en)
    catalogue = Catalogue.model_construct(url=url, title=title)
    value = notice_value(Publication.model_construct(hosts=(HOST,), catalogue=catalogue), NOW)
    assert len(value) <= LONGEST_VALUE
    assert set(value) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    read = json.loads(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))
    for language, text in read.get("title", {}).items():
        assert len(text) <= LONGEST_TITLE
        assert text == one_line({"lv": lv, "en": en}[language], LONGEST_TITLE)
