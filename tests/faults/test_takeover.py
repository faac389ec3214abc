# SPDX-License-Identifier: Apache-2.0
"""A leader with a whole fleet is lost: how soon the other one goes on, and what it costs it.

Nothing has changed meanwhile but one e-service, so nothing else is written.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

import pytest

from eservice_operator.cluster.client import KubeApi
from eservice_operator.runtime.clock import now
from tests.support import fleet
from tests.support.crowd import publish
from tests.support.figures import Figures
from tests.support.replicas import Replica, Replicas, instant, seconds_between
from tests.support.site import Site

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(3600)]

MANY = int(os.environ.get("ESERVICE_TEST_TAKEOVER", "40"))
"""How many e-services there are; the first of them is the one that changes."""
PATIENCE = 120.0 + 5 * MANY
"""Seconds until all are public, on a machine that is busy with other things."""
RESIDENT = re.compile(r"VmRSS:\s+(\d+) kB")


def megabytes(one: Replica) -> float:
    """What it has in memory."""
    found = RESIDENT.search(Path(f"/proc/{one.process.pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


async def test_a_standby_goes_on_with_a_whole_fleet(
    pair: Replicas, people: KubeApi, figures: Figures
) -> None:
    site = Site(people)
    services = [site.planned(f"s{number:05d}") for number in range(MANY)]
    leader, other = await pair.start(), await pair.start()
    assert (leader.leads, other.leads) == (True, False)
    await publish(site, fleet.template(site.template), services, within=PATIENCE)
    await leader.at_rest()
    assert (other.ready, pair.wrote(other.identity)) == (True, [])
    standing_by = megabytes(other)

    before = len(pair.asked(other.identity))
    leader.kill()
    killed = instant(now())
    await site.apply(services[0].eservice(spec={"publication": {"paused": {"reason": "maintenance"}}}))
    await pair.until_leads(other)
    await site.settled(services[0], "Paused")
    await other.at_rest()

    identity = other.identity
    taken, wrote = pair.turns(identity)[0].at, pair.wrote(identity)
    others = [one for one in wrote if services[0].name not in one.name and one.resource != "events"]
    assert wrote
    assert not [one for one in others if one.resource != "eservicetemplates"], "nothing else has changed"
    verbs = Counter(one.verb for one in pair.asked(identity)[before:] if one.resource != "leases")
    asked = ", ".join(f"{count} {verb}" for verb, count in sorted(verbs.items()))
    lease, first = seconds_between(killed, taken), seconds_between(taken, wrote[0].at)
    figures.add(
        f"takeover with {MANY} e-services after SIGKILL",
        f"{lease:.1f} s to the lease, {other.began_after:.1f} s from there to the first look and"
        f" {first:.1f} s to the first write; asked: {asked}; the standby has {standing_by:.0f} MB, and then"
        f" as the leader {megabytes(other):.0f} MB",
    )
    await site.assert_sound()
    await site.clear(operated=True)
