# SPDX-License-Identifier: Apache-2.0
"""Lists that are empty by mistake, end in the middle, expire between two pages, or are of an earlier day."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

import pytest

from eservice_operator.cluster.resources import CHILDREN, OBSERVED, OWN, Resource, resource_of
from tests.faults.endings import seen_alike
from tests.faults.estate import founded
from tests.faults.injecting import Chosen, injected, one_event_in, one_in, refusal
from tests.faults.plays import PLAYS, Play, Stage
from tests.support.audit import Request
from tests.support.fault_proxy import FrameFault, Seen, Treatment
from tests.support.faults.fault import emptied, gone
from tests.support.kubectl import Kubectl
from tests.support.waiting import eventually

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

ACCESS = {
    "Role",
    "RoleBinding",
    "EServiceIdentifier",
    "EService",
    "WebService",
    "WebServiceGrant",
    "ConnectionTest",
    "EServiceRegistration",
    "Namespace",
}
"""What a grant rests on: where that seems to be gone, access may close; it opens again with the next list."""
CAUGHT_UP = 60.0
"""Seconds for the watches of all kinds to bring what was withheld."""
OF_ACCESS = {"roles", "rolebindings", "networkpolicies", "configmaps"}
"""What opening and closing it makes and removes; all that serves the public is something else."""
WATCHERS = ("eservice-operator/", "kopf/")
"""How they begin their User-Agents; kopf watches no kinds but ours."""
TOGETHER = (*((resource,) for resource in OWN), CHILDREN, OBSERVED)


@pytest.fixture
def told(request: pytest.FixtureRequest) -> dict[str, str]:
    """How often the operator lists: every other second where a story has to be full of lists."""
    return {"resync": getattr(request, "param", "10m")}


def lists(*resources: Resource) -> Chosen:
    """Lists of these kinds, whoever asks; of all where none are named."""
    wanted = {resource.plural for resource in resources}
    return lambda seen: seen.verb == "list" and (not wanted or seen.resource in wanted)


def everywhere(resource: Resource, who: str) -> Chosen:
    """Lists of this kind in all namespaces for one of the watchers, who watches it then."""
    return lambda seen: lists(resource)(seen) and not seen.namespace and seen.agent.startswith(who)


def watchers(resource: Resource) -> tuple[str, ...]:
    """Who watches a kind."""
    return WATCHERS if resource in OWN else WATCHERS[:1]


def further_page(seen: Seen) -> bool:
    return seen.verb == "list" and "continue" in seen.query


@pytest.mark.parametrize("told", ["2s"], indirect=True, ids=["many lists"])
@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.name)
async def test_lists_break_off_and_their_further_pages_expire(stage: Stage, play: Play) -> None:
    """Of a list that is not whole nothing is taken to be gone. Watches break as well, and list again."""
    await stage.survives(
        play,
        injected("410 on a further page", one_in(3, further_page), answer=refusal(410, "Expired")),
        injected("list cut", one_in(4, lists()), cut=0.6),
        injected("in pages of two", lists(), page=2),
        frames=[FrameFault(one_event_in(9), Treatment.GONE)],
    )


async def test_an_empty_list_by_mistake_takes_nobody_off_and_makes_nothing_twice(
    stage: Stage, kubectl: Kubectl
) -> None:
    """One kind of ours after the other has gone, as far as the API server says, then all of the others.

    Access fails closed: to end it nothing is looked at first. A public route only goes after a last look,
    which is told the truth.
    """
    estate = await founded(stage)
    before = await estate.picture()
    for kinds in TOGETHER:
        stage.audit.skip()
        empty = {
            f"{one.plural} to {who}": injected("empty list", everywhere(one, who), times=1, edit=emptied)
            for one in kinds
            for who in watchers(one)
        }
        with stage.under(*empty.values()):
            await list_again(stage, kinds)
            told_truth = [which for which, fault in empty.items() if not fault.hits]
            assert not told_truth, f"{told_truth}: not every watcher was given an empty list"
            await stage.operator.at_rest(soon=0.0)  # where it found out it tries again, until the next list
            closes = {resource.kind for resource in kinds} & ACCESS
            await estate.assert_stands(kubectl, f"without {kinds[0].kind} …", closed=bool(closes))
            touched = Counter(one.what for one in stage.audit.writes() if made_or_removed(one))
            assert not touched or closes, (kinds[0].kind, touched)
            for what, times in touched.items():
                verb, resource = what.split()
                assert resource in OF_ACCESS, (kinds[0].kind, touched)
                assert verb == "delete" or times <= touched[f"delete {resource}"], (kinds[0].kind, touched)
        await list_again(stage, kinds)
        await stage.operator.at_rest()
        await estate.opened_again(kubectl)
        await estate.assert_stands(kubectl, f"with {kinds[0].kind} … again")
        stage.runs += 1
    after = {line.replace('"told": "Ended"', '"told": "Granted"') for line in await estate.picture()}
    different = "\n".join(sorted(after ^ {*before}))  # who was told that access had ended was told the truth
    assert not different, different
    await estate.register.clear()


async def test_who_starts_with_yesterdays_lists_brings_nothing_back(stage: Stage, kubectl: Kubectl) -> None:
    """An API server that lags behind answers the first lists of a new operator, and its watches are silent.

    As far as these lists say, a register is open that is closed, and three e-services are public.
    """
    estate = await founded(stage, due=False)
    stage.proxy.recording, begin = True, len(stage.proxy.log)
    assert await stage.operator.terminate() == 0
    await stage.operator.start()
    everything = (*OWN, *CHILDREN, *OBSERVED)
    await eventually(lambda: not unlisted(stage, begin, everything), "lists of each kind", 60)
    await stage.operator.at_rest()
    stage.proxy.recording = False
    for ref in (estate.grant, estate.off.route, *estate.register.children(estate.public)):
        assert ref.name in on_tape(stage, resource_of(ref.kind)), f"yesterday there was {ref}"

    site = estate.site
    await estate.fall_due()
    await site.delete(estate.grant)
    for child in (estate.grant, *estate.register.children(estate.public)):
        await site.gone(child)
    await stage.operator.at_rest()
    before = await estate.picture()
    assert await stage.operator.terminate() == 0

    stage.audit.skip()
    stale = injected("stale list", lists(), replay=True)
    stage.proxy.frames[:] = [FrameFault(lambda *_: True, Treatment.STALLED)]
    begin = len(stage.proxy.log)
    with stage.under(stale):
        await stage.operator.start()
        await stage.operator.at_rest()
        assert_all_from_tape(stage, begin)
        assert not await estate.register.may(kubectl, estate.public)
        assert await site.api.get(estate.off.route) is None, "it came back"
        touched = [one.what for one in stage.audit.writes() if made_or_removed(one)]
        assert not touched, touched
    await stage.proxy.release()

    async def as_before() -> bool:
        return seen_alike(await estate.picture()) == seen_alike(before)

    with suppress(AssertionError):  # what differs is said below
        await eventually(as_before, "it is as before", CAUGHT_UP)
    await stage.operator.at_rest()
    # whose view the grant was still in sees it go once more, or sees that it has gone
    different = "\n".join(sorted({*seen_alike(await estate.picture())} ^ {*seen_alike(before)}))
    assert not different, different
    # the kinds catch up one after another: what one of them brings for a moment, the next takes back
    changes = Counter((one.verb, one.resource) for one in stage.audit.writes() if made_or_removed(one))
    made, removed = (
        Counter({resource: count for (what, resource), count in changes.items() if what == verb})
        for verb in ("create", "delete")
    )
    assert made == removed, changes
    stage.runs += 1
    await estate.register.clear()


def assert_all_from_tape(stage: Stage, begin: int) -> None:
    """Since then each kind was listed, and each list was of yesterday."""
    listed = [one for one in stage.proxy.log[begin:] if one.seen.verb == "list"]
    fresh = {one.seen.resource for one in listed if one.upstream}
    assert not fresh, f"{fresh}: the API server was asked itself"
    stale = {one.seen.resource for one in listed if one.outcome == "200"}
    assert stale >= {one.plural for one in (*OWN, *CHILDREN, *OBSERVED)}, f"of yesterday: {sorted(stale)}"


def on_tape(stage: Stage, resource: Resource) -> set[str]:
    """The names in the lists of a kind that the proxy has kept."""
    kept = [
        answer.body for asked, answer in stage.proxy.tape.items() if asked[0].endswith(f"/{resource.plural}")
    ]
    return {item["metadata"]["name"] for body in kept for item in json.loads(body)["items"]}


def made_or_removed(request: Request) -> bool:
    return request.verb in {"create", "delete"} and request.resource != "events" and request.succeeded


def unlisted(stage: Stage, begin: int, kinds: Sequence[Resource]) -> set[str]:
    """The kinds that one of those who watch them has not listed since ``begin``."""
    listed = [one for one in stage.proxy.log[begin:] if one.outcome == "200" and lists(*kinds)(one.seen)]
    asked = {(one.seen.resource, who) for one in listed for who in WATCHERS if one.seen.agent.startswith(who)}
    wanted = {(resource.plural, who) for resource in kinds for who in watchers(resource)}
    return {plural for plural, _ in wanted - asked}


async def list_again(stage: Stage, kinds: Sequence[Resource]) -> None:
    """Have the watches of kinds end in a gap, and wait until everybody has listed them and watches again."""
    begin, plurals = len(stage.proxy.log), {resource.plural for resource in kinds}
    await stage.proxy.end_watches(gone(), lambda one: one.resource in plurals)

    def missing() -> set[str]:
        unwatched = {plural for plural in plurals if not stage.proxy.watches(f"/{plural}?")}
        return unlisted(stage, begin, kinds) | unwatched

    await eventually(lambda: not missing(), f"lists and watches of {plurals}", 60)
