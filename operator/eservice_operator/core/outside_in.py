# SPDX-License-Identifier: Apache-2.0
"""What is asked from outside about an e-service, and what the answers make of its status."""

from __future__ import annotations

from dataclasses import replace

from eservice_operator.api.base import ConditionStatus
from eservice_operator.api.reasons import ConditionType, Reason
from eservice_operator.api.seen import PublicationStatus
from eservice_operator.core.answering import SILENT
from eservice_operator.core.conditions import Verdict, find
from eservice_operator.core.decide import Decision
from eservice_operator.core.faces import Face
from eservice_operator.core.facts import Facts
from eservice_operator.core.owner import route_name
from eservice_operator.core.sightings import Question, Witnessed, recalled
from eservice_operator.core.witness import publication_seen, still_open, witnessed


def looked_at(facts: Facts) -> bool:
    """Whether anybody looks from outside: at what is, or has been, public."""
    there = facts.world.service.metadata.deletion_timestamp is None
    return facts.policy.probed and facts.public_name is not None and there


def question_of(decision: Decision) -> Question | None:
    """What the hosts are asked about now; none before the route shows what it is to show.

    A live route is asked about once the gateway says that it serves it; one that is off at once. Nor is
    anything asked while a route of before still serves.
    """
    facts = decision.facts
    if not looked_at(facts) or decision.rollout.face is not facts.face or facts.lingering is not None:
        return None
    route, public = facts.route, facts.public
    if route is not None and facts.said is not None:
        if facts.face is Face.LIVE and facts.said.reason is not Reason.PUBLISHED:
            return None
        hosts, path = facts.driver.hosts(route), facts.driver.path(route)
    elif public is not None:
        hosts, path = public.hosts, public.path
    else:
        return None
    return Question(
        face=facts.face,
        generation=0 if route is None else route.generation,
        hosts=hosts,
        path=path,
        mark=route_name(*facts.place),
        marked=facts.policy.marked,
    )


def sightings_of(facts: Facts) -> Witnessed | None:
    """What was seen by this process or, before it has looked, by the one before."""
    return facts.world.sightings or recalled(facts.world.service.status.publication)


def seen_from_outside(decision: Decision, said: Verdict) -> Verdict:
    """Published, from the gateway's word and what was seen of the hosts that it is about.

    What was in doubt stays so while the gateway has not answered for the route as it is now.
    """
    facts, question = decision.facts, question_of(decision)
    before = find(facts.world.service.status.conditions, ConditionType.PUBLISHED)
    doubted = before is not None and before.status is ConditionStatus.UNKNOWN and looked_at(facts)
    if doubted and said.status is ConditionStatus.TRUE and said.reason in SILENT:
        return replace(said, status=ConditionStatus.UNKNOWN)
    final = (ConditionStatus.TRUE, Reason.PUBLISHED)
    live = facts.face is Face.LIVE
    if question is None or ((said.status, said.reason) != final if live else said.status is final[0]):
        return said
    return witnessed(said, before, question, sightings_of(facts), facts.now)


def still_looking(decision: Decision) -> bool:
    """Whether gateway and probe have time left for a doubted host; after that it waits for people."""
    question, facts = question_of(decision), decision.facts
    return question is not None and still_open(question, sightings_of(facts), facts.now)


def publication_of(decision: Decision) -> PublicationStatus:
    """What is written down of the look from outside."""
    facts, question = decision.facts, question_of(decision)
    old = facts.world.service.status.publication
    if not looked_at(facts):
        return PublicationStatus()
    return old if question is None else publication_seen(old, question, sightings_of(facts))
