# SPDX-License-Identifier: Apache-2.0
"""What the holder of a web service is told: who asks, and whom the end of a contract version meets."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from eservice_operator.api.notices import Audience, Channel, Notice
from eservice_operator.api.webservice_status import WebServiceStatus
from eservice_operator.core.access.case import Consumer
from eservice_operator.core.access.holding import decide_web_service, web_service_status
from eservice_operator.core.access.letters import web_service_letters
from eservice_operator.core.access.notes import web_service_notes
from eservice_operator.core.access.posting import next_of_web_service
from eservice_operator.core.access.worlds import WebServiceWorld
from eservice_operator.core.actions import Manifest, Outcome
from eservice_operator.core.letters import Delivery, Letter
from eservice_operator.core.policy import Policy
from tests.core.access.register import Register, agents_register, connection, consumer, granted, passed
from tests.support import access, worlds
from tests.support.worlds import DAY, NAME, NAMESPACE, NOW, at

CHANNELS = ((Channel.EMAIL, ""), (Channel.CLOUD_EVENTS, "events.agency.example"))
MINUTE = timedelta(minutes=1)
RETIRING = [{"version": "v4", "endOfLife": "2027-03-31"}, {"version": "v5"}]


def asking(name: str, *uses: Manifest) -> Consumer:
    return consumer((f"{name}-production", name), *(uses or (access.use("v5"),)))


@dataclass
class Desk:
    """The holder's web service, looked at again and again."""

    consumers: tuple[Consumer, ...] = ()
    grants: tuple[Manifest, ...] = ()
    contracts: list[Manifest] = field(default_factory=lambda: [{"version": "v4"}, {"version": "v5"}])
    confirmed: bool = True
    policy: Policy = field(default_factory=lambda: replace(worlds.POLICY, channels=CHANNELS))
    status: WebServiceStatus = field(default_factory=WebServiceStatus)
    deliveries: dict[str, Delivery] = field(default_factory=dict)

    def world(self) -> WebServiceWorld:
        offer = access.offer(
            access.web_service(spec={"contracts": self.contracts}),
            namespace_labels=None if self.confirmed else {},
        )
        observed = offer.web_service.model_copy(update={"status": self.status})
        register = Register(
            offers=(replace(offer, web_service=observed),),
            grants=granted(*self.grants),
            consumers=self.consumers,
            tests=passed(access.connection_test(), access.connection_test("tested-v4", "v4")),
        )
        return replace(register.web_service(), deliveries=self.deliveries)

    def look(self, now: datetime = NOW) -> list[Notice]:
        """What is entered now; the Events of it tell the same."""
        world, old = self.world(), self.status
        new = web_service_status(decide_web_service(world, now, self.policy), Outcome(()), now, self.policy)
        known, self.status = {notice.id for notice in old.notices}, new
        return [notice for notice in new.notices if notice.id not in known]

    def told(self, now: datetime = NOW) -> list[str]:
        """What is told now, and then delivered."""
        fresh = self.look(now)
        self.deliveries |= {notice.id: Delivery(accepted=True, at=now) for notice in self.status.notices}
        self.look(now)
        return list(dict.fromkeys(f"{notice.kind.value} {notice.about}" for notice in fresh))

    def letters(self, now: datetime = NOW) -> tuple[Letter, ...]:
        return web_service_letters(self.world(), self.status, now)


@pytest.fixture
def desk() -> Desk:
    """One that was looked at before anybody asked."""
    found = Desk()
    found.look()
    return found


def test_the_holder_and_the_sink_are_told_who_asks(desk: Desk) -> None:
    desk.consumers = (asking("tax"),)
    before = desk.status
    fresh = desk.look()
    assert [(one.kind.value, one.audience, one.recipient) for one in fresh] == [
        ("AccessRequested", Audience.HOLDER, "api@ur.example"),
        ("AccessRequested", Audience.AGENCY, "events.agency.example"),
    ]
    letter, _ = desk.letters()
    assert (letter.source, letter.institution) == (f"WebService {access.HOLDER}/{access.REGISTER}", "UR")
    assert dict(letter.facts) == {
        "webService": "ur-production/population-register",
        "consumer": "tax-production/tax",
        "asking": "tax",
        "contractVersion": "v5",
        "count": "1",
    }
    (note,) = web_service_notes(before, desk.status)
    assert (note.type, note.reason) == ("Normal", "AccessRequested")
    assert note.text == "asked for by tax-production/tax v5; without an answer: 1"


def test_a_request_is_told_once(desk: Desk) -> None:
    desk.consumers = (asking("tax"),)
    assert desk.told() == ["AccessRequested tax-production/tax v5"]
    desk.consumers = ()
    assert desk.told(NOW + MINUTE) == []
    desk.consumers = (asking("tax"),)
    assert desk.told(NOW + 2 * MINUTE) == [], "who asks, takes it back and asks again is known"
    desk.consumers = (asking("tax"), asking("care"))
    assert desk.told(NOW + 3 * MINUTE) == ["AccessRequested care-production/care v5"]


def test_a_request_says_since_when_it_waits(desk: Desk) -> None:
    desk.consumers = (consumer((NAMESPACE, NAME), access.use("v5")),)
    for now in (NOW, NOW + DAY):
        desk.look(now)
        assert [request.since for request in desk.status.requests] == [NOW]
    desk.grants = (access.grant(),)
    desk.look(NOW + 2 * DAY)
    assert [request.since for request in desk.status.requests] == [NOW + 2 * DAY], "since it was answered"


def test_who_asked_before_the_first_look_is_the_past() -> None:
    late = Desk(consumers=(asking("tax"),))
    assert [late.told(), late.told(NOW + DAY)] == [[], []]


def test_what_is_answered_while_its_letter_waits_is_not_sent(desk: Desk) -> None:
    desk.consumers = (consumer((NAMESPACE, NAME), access.use("v5")),)
    desk.look()
    desk.grants = (access.grant(),)
    desk.look(NOW + MINUTE)
    assert {notice.state.value for notice in desk.status.notices} == {"Superseded"}


def test_while_the_holder_is_not_confirmed_nothing_is_sent_and_nothing_is_forgotten(desk: Desk) -> None:
    desk.consumers = (asking("tax"),)
    desk.look()
    desk.confirmed = False
    desk.look(NOW + MINUTE)
    assert desk.letters(NOW + MINUTE) == ()
    desk.confirmed = True
    desk.look(NOW + 2 * MINUTE)
    assert {letter.source for letter in desk.letters(NOW + 2 * MINUTE)} == {
        f"WebService {access.HOLDER}/{access.REGISTER}"
    }


@pytest.mark.parametrize(
    "why", ["not placed by its registration", "no such contract version", "holder not confirmed"]
)
def test_of_what_everybody_can_write_nobody_is_told(desk: Desk, why: str) -> None:
    desk.confirmed = why != "holder not confirmed"
    who = {
        "not placed by its registration": consumer(
            ("mallory", "tax"), access.use("v5"), claims="tax-production"
        ),
        "no such contract version": asking("tax", access.use("v9")),
    }
    desk.consumers = (who.get(why, asking("tax")),)
    desk.look()
    assert desk.status.notices == ()


def test_a_crowd_is_told_by_ten_letters_and_a_number(desk: Desk) -> None:
    desk.consumers = tuple(asking(f"city{number:02}") for number in range(30))
    assert len(desk.told()) == 10
    desk.consumers = (*desk.consumers, asking("late"))
    assert desk.told(NOW + MINUTE) == []
    desk.consumers = (*desk.consumers, asking("tomorrow"))
    desk.look(NOW + 2 * DAY)
    letter, _ = desk.letters(NOW + 2 * DAY)
    assert (letter.facts["consumer"], letter.facts["count"]) == ("tomorrow-production/tomorrow", "32")


def test_the_end_of_a_contract_version_is_told_on_the_ladder_with_who_is_left(desk: Desk) -> None:
    desk.consumers = (consumer((NAMESPACE, NAME), access.use("v4")),)
    desk.grants = (access.grant(spec={"contractVersions": access.granted("v4")}),)
    desk.contracts = RETIRING
    desk.look(NOW)
    letter, _ = desk.letters(NOW)
    assert (letter.kind.value, str(letter.due)) == ("ContractRetiring", "2027-03-31")
    named = f"address-declaration ({NAMESPACE}/{NAME})"
    assert (letter.facts["count"], letter.facts["consumers"]) == ("1", named)
    desk.told(NOW)
    wakes = next_of_web_service(desk.world(), desk.status, NOW, desk.policy)
    assert wakes == at("2026-12-31", "00:00")
    days = [at("2026-10-14") + number * DAY for number in range(200)]
    heard = [str(day.date()) for day in days if desk.told(day)]
    assert heard == ["2026-12-31", "2027-02-28", "2027-03-24"]
    assert desk.status.warned == ()


def test_the_customers_of_agents_are_among_who_is_left() -> None:
    """Whoever calls through an agent ends with it, and reads so from the holder only."""
    there = agents_register(None, connection("v4"))
    contracts = [{"version": "v4", "endOfLife": "2027-03-31"}, {"version": "v5"}]
    policy = replace(worlds.POLICY, channels=CHANNELS)
    offers = (access.offer(access.web_service(spec={"contracts": contracts})),)
    world = there.but(offers=offers).web_service()
    status = web_service_status(decide_web_service(world, NOW, policy), Outcome(()), NOW, policy)
    letter, *_ = web_service_letters(world, status, NOW)
    assert letter.facts["count"] == "4"
    named = ("evry-production/gateway", "cesis/cesis", "ogre/ogre", "rezekne/rezekne")
    assert [place.rstrip(")").rpartition("(")[2] for place in letter.facts["consumers"].split(", ")] == [
        *named
    ]


def test_without_channels_events_tell(desk: Desk) -> None:
    desk.policy = worlds.POLICY
    before, desk.contracts = desk.status, RETIRING
    desk.look()
    assert [note.reason for note in web_service_notes(before, desk.status)] == ["ContractRetiring"]
    assert desk.status.notices == ()
