# SPDX-License-Identifier: Apache-2.0
"""Whatever people do, in whatever order, and whenever: what must hold holds all the way."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from typing_extensions import override

from eservice_operator.api import names
from eservice_operator.api.decisions import DecisionState
from eservice_operator.api.reasons import ConditionType
from eservice_operator.core.actions import Action, Create, Outcome, Update
from eservice_operator.core.decide import decide
from eservice_operator.core.facts import Facts
from eservice_operator.core.gates import check_all
from eservice_operator.core.signed import Subject
from tests.support import worlds
from tests.support.pure_cluster import PureCluster
from tests.support.worlds import NAME, POLICY, TEMPLATE, at, image

LETTERS = st.sampled_from("abc")
NUMBERS = st.sampled_from(["2.0.0", "3.0.0", "4.0.0"])
AT_TEMPLATE = ("EServiceTemplate", "", TEMPLATE)
AT_REGISTRATION = ("EServiceRegistration", "", NAME)
ALL = (*worlds.VERSIONS, worlds.NEXT_VERSION)


class WatchedCluster(PureCluster):
    """Checks, at each write that gives the public something, that the release passes every gate just then."""

    @override
    def run(self, actions: tuple[Action, ...], now: datetime) -> Outcome:
        facts = Facts(self.world(), now, POLICY)
        public = facts.public_name
        for action in actions:
            if not isinstance(action, Create | Update):
                continue
            kind, name = action.manifest["kind"], action.manifest["metadata"]["name"]
            if kind == "Service" and name == NAME:
                selected = action.manifest["spec"]["selector"][names.RELEASE_LABEL]
                if selected != public:
                    assert selected == facts.wanted.name, "only what the spec names is switched to"
                    assert not check_all(facts, Subject(facts.wanted, wanted=True))
                public = selected
            if kind == "HTTPRoute" and isinstance(action, Create):
                release = facts.wanted if public == facts.wanted.name else facts.public
                assert release is not None
                assert not check_all(facts, Subject(release, wanted=public == facts.wanted.name))
        return super().run(actions, now)


class Life(RuleBasedStateMachine):
    """An e-service, and what people may do to it."""

    def __init__(self) -> None:
        super().__init__()
        self.cluster = WatchedCluster()
        self.now: datetime = at("2026-10-01")
        self.counter = 0
        self.promised: dict[str, datetime] = {}

    @initialize()
    def begin(self) -> None:
        self.cluster.put(worlds.template(ALL), worlds.registration(), worlds.eservice())
        self.settle()

    def settle(self) -> None:
        self.cluster.settle(self.now)

    def name(self, what: str) -> str:
        self.counter += 1
        return f"{what}-{self.counter}"

    def stamp(self) -> dict[str, str]:
        return {"creationTimestamp": self.now.isoformat()}

    # time

    @rule(days=st.sampled_from([1, 5, 30, 120]))
    def wait(self, days: int) -> None:
        """An operator that runs is on time."""
        until = self.now + timedelta(days=days)
        self.cluster.advance(self.now, until)
        self.now = until
        self.settle()

    @rule(days=st.sampled_from([1, 30]))
    def sleep(self, days: int) -> None:
        """An operator that was down comes late."""
        self.now += timedelta(days=days)
        self.settle()

    # the institution

    @rule(letter=LETTERS, number=NUMBERS)
    def name_a_release(self, letter: str, number: str) -> None:
        request = {"requestedAt": str(self.now.date()), "requestedBy": "A. Bērziņa"}
        release = {"release": {"image": image(letter)}, "template": {"version": number}}
        self.cluster.edit_service(productionRequest=request, **release)
        self.settle()

    @rule(port=st.sampled_from([8080, 9090]), replicas=st.sampled_from([1, 3]))
    def edit_the_workload(self, port: int, replicas: int) -> None:
        self.cluster.edit_service(workload={"port": port, "replicas": replicas})
        self.settle()

    @rule(path=st.sampled_from(["/", "/declare"]))
    def edit_the_publication(self, path: str) -> None:
        self.cluster.edit_service(publication={"path": path})
        self.settle()

    @rule(paused=st.booleans())
    def pause(self, paused: bool) -> None:
        self.cluster.edit_service(publication={"paused": {"reason": "maintenance"} if paused else None})
        self.settle()

    @rule(outcome=st.sampled_from(["Passed", "Passed", "Failed"]))
    def verify(self, outcome: str) -> None:
        spec = self._named() | {"outcome": outcome, "verifiedAt": self.now.isoformat()}
        self.cluster.put(worlds.verification(self.name("v"), metadata=self.stamp(), spec=spec))
        self.settle()

    @rule(letter=LETTERS, number=NUMBERS)
    def deliver(self, letter: str, number: str) -> None:
        """All of it at once, as it should go."""
        self.name_a_release(letter, number)
        self.sign()
        self.verify("Passed")

    # the Agency

    @rule()
    def sign(self) -> None:
        request = self.cluster.service.spec.production_request
        assert request is not None
        spec = self._named() | {"signedAt": str(request.requested_at)}
        self.cluster.put(worlds.act(self.name("act"), metadata=self.stamp(), spec=spec))
        self.settle()

    @rule()
    def revoke_an_act(self) -> None:
        for name in list(self.cluster.of_kind("AcceptanceAct"))[:1]:
            revoked = {"revoked": {"at": str(self.now.date()), "reason": "a mistake"}}
            self.cluster.edit(("AcceptanceAct", "", name), spec=revoked)
        self.settle()

    @rule(days=st.sampled_from([10, 400]))
    def defer(self, days: int) -> None:
        until = str((self.now + timedelta(days=days)).date())
        self.cluster.put(worlds.deferral(until, self.name("deferral")))
        self.settle()

    @rule(
        change=st.sampled_from(
            [
                {"enforcement": "Warn"},
                {"enforcement": "Enforce"},
                {"maximumLag": "P1M"},
                {"maximumLag": "P18M"},
                {"maximumDeferral": "P1M"},
                {"noticePeriod": "P7D"},
            ]
        )
    )
    def change_the_policy(self, change: dict[str, str]) -> None:
        if AT_TEMPLATE in self.cluster.objects:
            self.cluster.edit(AT_TEMPLATE, spec={"lifecycle": change})
        self.settle()

    @rule(suspended=st.booleans())
    def suspend(self, suspended: bool) -> None:
        if AT_REGISTRATION in self.cluster.objects:
            wanted = {"reason": "an incident"} if suspended else None
            self.cluster.edit(AT_REGISTRATION, spec={"suspended": wanted})
        self.settle()

    @rule(place=st.sampled_from([AT_TEMPLATE, AT_REGISTRATION]))
    def delete(self, place: tuple[str, str, str]) -> None:
        if place in self.cluster.objects:
            self.cluster.remove(place)
        self.settle()

    @rule()
    def restore(self) -> None:
        for body in (worlds.template(ALL), worlds.registration()):
            place = (body["kind"], "", body["metadata"]["name"])
            if place not in self.cluster.objects:
                self.cluster.put(body)
        self.settle()

    # trouble

    @precondition(lambda self: self.cluster.of_kind("Deployment"))
    @rule(data=st.data())
    def delete_a_child(self, data: st.DataObject) -> None:
        places = [
            place for place, body in self.cluster.objects.items() if "ownerReferences" in body["metadata"]
        ]
        self.cluster.remove(data.draw(st.sampled_from(sorted(places))))
        self.settle()

    @rule(letter=LETTERS, broken=st.booleans())
    def break_an_image(self, letter: str, broken: bool) -> None:
        (self.cluster.broken.add if broken else self.cluster.broken.discard)(image(letter))
        self.settle()

    def _named(self) -> dict[str, Any]:
        spec = self.cluster.service.spec
        template = {"name": spec.template.name, "version": spec.template.version}
        return {"image": spec.release.image, "template": template}

    # what holds (the status contract is asserted with every status that is written)

    @invariant()
    def it_is_quiet(self) -> None:
        if self.cluster.of_kind("EService"):
            assert not decide(self.cluster.world(), self.now, POLICY).actions

    @invariant()
    def nothing_in_effect_is_on_the_route(self) -> None:
        for decision in self.cluster.decisions:
            if decision.status.state is DecisionState.EFFECTIVE:
                assert not self.cluster.routed(), "an effective decision is about what is public"

    @invariant()
    def published_is_a_route(self) -> None:
        if self.cluster.of_kind("EService"):
            published = self.cluster.reason(ConditionType.PUBLISHED)
            assert published is not None
            assert (published[0] == "True") is self.cluster.routed()

    @invariant()
    def promises_are_kept(self) -> None:
        """Without the Agency's revocation of a deferral no announced instant ever moves earlier."""
        for decision in self.cluster.decisions:
            announced = decision.status.effective_at
            if announced is None or decision.status.state is DecisionState.CLOSED:
                self.promised.pop(decision.metadata.name, None)
                continue
            assert announced >= self.promised.get(decision.metadata.name, announced)
            self.promised[decision.metadata.name] = announced

    @invariant()
    def one_decision_is_open_at_a_time(self) -> None:
        running = [one for one in self.cluster.decisions if one.status.state is not DecisionState.CLOSED]
        assert len({one.spec.release.template.version for one in running}) == len(running)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=max(1, settings().max_examples // 2), stateful_step_count=30)
