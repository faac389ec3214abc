# SPDX-License-Identifier: Apache-2.0
"""A wildcard route of the Agency's and an e-service's exact host: who answers citizens, and what is said."""

import pytest

from eservice_operator.core.actions import Manifest
from tests.gateways.neighbours import PATH_PREFIX, ROUTES, route, served_elsewhere, standing
from tests.gateways.stage import Stage
from tests.support.fleet import Planned
from tests.support.site import message, says

pytestmark = pytest.mark.cluster

RATE = 50.0
FALLBACK = {"metadata": {"labels": {"eservice.dev/fallback": "true"}}}
PAUSED = {"spec": {"publication": {"paused": {"reason": "the register moves house"}}}}


def wildcard(stage: Stage, planned: Planned, backend: Manifest) -> Manifest:
    """For whatever lies beside the e-service's host."""
    return route(f"wildcard-{stage.site.mark}", f"*.{domain(planned)}", PATH_PREFIX, backend)


def domain(planned: Planned) -> str:
    return planned.host.partition(".")[2]


def contested(obj: Manifest) -> list[tuple[str, str, str]]:
    found = obj["status"].get("contested") or ()
    return [(one["host"], one["by"], one["standing"]) for one in found]


async def elsewhere(stage: Stage, *hosts: str) -> None:
    """Wait until the wildcard's backend answers there."""
    for host in hosts:
        await stage.citizens.until(host, lambda a: a.release == "elsewhere", "served by the wildcard")


async def test_a_wildcard_that_was_there_first_has_the_host_until_it_makes_way(operated: Stage) -> None:
    site = operated.site
    await site.prepare()
    planned = site.planned()
    async with served_elsewhere(operated) as backend:
        theirs = wildcard(operated, planned, backend)
        async with standing(operated, theirs) as ref:
            await elsewhere(operated, planned.host)
            await site.apply(planned.registration(), planned.act(), planned.verification())
            await site.apply(await operated.eservice(planned))
            owner = f"HTTPRoute {ROUTES}/{ref.name}"
            held = await site.until(
                planned.ref, lambda obj: says(obj, "Published", "False", "HostConflict"), "held back"
            )
            assert message(held, "Published") == f"{planned.host} is served by {owner}"
            assert contested(held) == [(planned.host, owner, "Serves")]
            await elsewhere(operated, planned.host)

            await site.apply(theirs | {"metadata": theirs["metadata"] | FALLBACK["metadata"]})
            await operated.answered(planned)
            public = await site.settled(planned, "Published")
            assert not contested(public)
            await elsewhere(operated, f"other.{domain(planned)}")


async def test_a_wildcard_that_comes_later_has_what_is_beside_the_host(operated: Stage) -> None:
    """Also while the e-service is off: its host stays its own, and shows the notice."""
    site = operated.site
    await site.prepare()
    planned = site.planned()
    await operated.published(planned)
    async with served_elsewhere(operated) as backend:
        async with (
            operated.asked(planned, RATE) as answers,
            standing(operated, wildcard(operated, planned, backend)) as ref,
        ):
            await elsewhere(operated, f"other.{domain(planned)}", f"much.deeper.{domain(planned)}")
            seen = await site.until(planned.ref, contested, "told")
            assert contested(seen) == [(planned.host, f"HTTPRoute {ROUTES}/{ref.name}", "Beside")]
            assert says(seen, "Published", "True")
            await site.apply(await operated.eservice(planned, **PAUSED))
            await operated.citizens.until(planned.host, lambda a: a.mark == "notice", "the notice")
            await elsewhere(operated, f"other.{domain(planned)}")
            await site.apply(await operated.eservice(planned))
            await operated.answered(planned)
        assert {a.release for a in answers.all} <= {planned.release, ""}, "never the wildcard's"
        assert {a.status for a in answers.failed()} <= {503}, answers.story()
        operated.counted("a wildcard comes and goes, and the e-service is paused beside it", answers)
    await site.until(planned.ref, lambda obj: not contested(obj), "over")
    await operated.citizens.until(f"other.{domain(planned)}", lambda a: a.status == 404, "nobody's")
