# SPDX-License-Identifier: Apache-2.0
"""R8 on a fleet: foreseen, braked, released, interrupted, and carried out exactly once.

Three hundred e-services on twelve versions of one template. An instruction makes sixty of them overdue at
once: the brake holds all of them. Four more on the same versions are deferred and have days of their own. The
Agency releases the set, the operator dies in the middle of it, and in the end exactly those sixty are off the
public route, each institution told once, and everything came as the forecast had said, day by day.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from eservice_operator.cluster import credentials
from eservice_operator.cluster.client import KubeApi
from eservice_operator.core.actions import Manifest
from tests.support import fleet
from tests.support.agency import Agency, acting, by_service, local_days, recorded
from tests.support.audit import AuditLog
from tests.support.cluster import private_control_plane
from tests.support.crowd import CONVERGED, publish
from tests.support.figures import Figures
from tests.support.fleet import Planned, with_instruction
from tests.support.mail_login import mail_with_login
from tests.support.mailserver import MailServer
from tests.support.operator import OperatorProcess, assert_log_clean
from tests.support.rights import operator_credentials, people_credentials
from tests.support.site import Site, condition, poll

if TYPE_CHECKING:
    from controlplane import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1500)]

VERSIONS = (
    ("1.0.0", 22, 21),
    ("2.0.0", 21, 20),
    *((f"{number}.0.0", 20 - number, 19 - number) for number in range(3, 12)),
    ("12.0.0", 2, None),
)
"""Number, months since its release, months since its instruction. Behind 11.0.0 (9 months old) nobody lags by
more than 18 months; behind 12.0.0 the first two do, once it has its instruction."""
NEWEST = "12.0.0"
OVERDUE = ("1.0.0", "2.0.0")
FLEET, FALLING, NAMESPACES = 300, 60, 10
DEFERRED = (3, 9, 9, 20)
"""Days from today up to which so many more on the oldest versions may stay."""
KILLED_AFTER = 15
"""So many routes are gone when the operator dies."""
HELD, CARRIED_OUT = r"/ unpublication due on \d{4}-\d{2}-\d{2} is held$", r"/ unpublished$"
"""Subjects of the two mails that each institution of the sixty gets: it was held, and later carried out."""
ANNOUNCED = r"/ to be unpublished on \d{4}-\d{2}-\d{2}$"
"""Subject of the one mail that the institutions of the deferred get."""
UNPUBLICATION = "unpubli"
"""In the subject of every mail about R8."""


@pytest.fixture(scope="module")
def empty_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with private_control_plane(tmp_path_factory.mktemp("enforcement")) as running:
        yield running


async def test_a_wrong_looking_wave_is_braked_and_a_released_one_carried_out_once(
    empty_cluster: Cluster, tmp_path: Path, figures: Figures
) -> None:
    people = people_credentials(empty_cluster, tmp_path / "people")
    async with KubeApi(await credentials.load(str(people), None)) as api:
        site = Site(api)
        async with mail_with_login(site, tmp_path) as (mail, settings):
            credentials_of_its_own = operator_credentials(empty_cluster, tmp_path / "operator")
            operator = OperatorProcess(credentials_of_its_own, tmp_path / "log", settings)
            try:
                await operator.start()
                agency = Agency(site, people, planned_fleet(site), FALLING, DEFERRED)
                body = fleet.template(site.template, VERSIONS, brake={"percent": 10, "atLeast": 5})
                await publish(site, body, agency.services)
                await agency.defer()
                assert by_service(mail.received, UNPUBLICATION) == {}, "nothing about the past"
                audit = AuditLog.from_now(empty_cluster.audit_log)
                await enforced(agency, body, operator, mail, figures, audit)
                assert await operator.terminate() == 0
                await site.assert_sound()
            finally:
                operator.end()
    assert_log_clean(operator.records())


def planned_fleet(site: Site) -> list[Planned]:
    """The sixty and then the deferred, on the two oldest versions in turn; the others on the other ten."""
    rest = [number for number, _, _ in VERSIONS if number not in OVERDUE]
    lagging = FALLING + len(DEFERRED)
    on = [OVERDUE[number % len(OVERDUE)] for number in range(lagging)]
    on += [rest[number % len(rest)] for number in range(FLEET - lagging)]
    places = [f"{site.namespace}-{number}" for number in range(NAMESPACES)]
    return [
        Planned(f"s{number:04d}-{site.mark}", places[number % NAMESPACES], site.template, version)
        for number, version in enumerate(on)
    ]


async def enforced(
    agency: Agency,
    body: Manifest,
    operator: OperatorProcess,
    mail: MailServer,
    figures: Figures,
    audit: AuditLog,
) -> None:
    site, today = agency.site, str(fleet.today())
    try_out = ("--template", site.template, "--version", NEWEST, "--published", today)
    foreseen, after_release = await asyncio.gather(
        agency.forecast(*try_out), agency.forecast(*try_out, "--release-brake")
    )
    wave = sorted((name, today) for name in agency.falling)
    later = sorted((name, fleet.days_ago(-days - 1)) for name, days in agency.deferred.items())
    assert acting(foreseen, "Hold") == wave
    assert acting(foreseen, "Unpublish") == later
    assert acting(after_release, "Unpublish") == sorted(wave + later)

    before = await agency.routes()
    began = time.monotonic()
    await site.apply(with_instruction(body, NEWEST))
    held = await all_held(agency)
    figures.add(f"{FALLING} of {FLEET} overdue at once: all held after", f"{time.monotonic() - began:.1f} s")
    decided = await all_decided(agency)
    assert local_days(decided, "effectiveAt") == sorted(wave + later)
    assert recorded(decided, "holdToken") == sorted((name, held["token"]) for name in agency.falling)
    assert await agency.off() == set()
    assert await agency.routes() == before
    assert acting(await agency.forecast("--release-brake"), "Unpublish") == sorted(wave + later)

    began = time.monotonic()
    await agency.eservice("release-brake", site.template, "--token", str(held["token"]), "--yes")
    await poll(lambda: gone(agency, before, KILLED_AFTER), lambda: "the first routes to go", CONVERGED)
    operator.kill()
    left = len(set(await agency.routes()) & agency.falling)
    figures.add("… killed while they were taken off: routes left", left)
    assert left, "it was killed too late to prove anything"
    await operator.start()
    await poll(lambda: gone(agency, before, FALLING), lambda: "the other routes to go", CONVERGED)
    await poll(lambda: same(agency.off(), agency.falling), lambda: "the statuses", CONVERGED)
    figures.add("… released, killed, all off after", f"{time.monotonic() - began:.1f} s")

    after = await agency.routes()
    assert after == {name: version for name, version in before.items() if name not in agency.falling}
    await told_once(agency, mail, figures)
    # a delete that was under way at the kill may be carried out without an answer, and is sent again
    removed = {request.target for request in audit.writes() if request.verb == "delete"}
    assert Counter(resource for resource, _, _ in removed) == {"httproutes": FALLING}
    decided = await agency.decisions()
    assert local_days(decided, "effectiveSince") == wave
    assert local_days(decided, "effectiveAt") == acting(after_release, "Unpublish")
    assert acting(await agency.forecast(), "Unpublish") == later


async def all_held(agency: Agency) -> dict[str, Any]:
    """The set that the template says the brake holds, once it is whole."""

    def whole(obj: Manifest) -> bool:
        sets: list[Any] = obj["status"].get("held") or []
        return len(sets) == 1 and sets[0]["count"] == FALLING and condition(obj, "BrakeEngaged") is not None

    template = await agency.site.until(agency.site.template_ref, whole, "the brake holds them all", CONVERGED)
    held: dict[str, Any] = template["status"]["held"][0]
    return held


async def all_decided(agency: Agency) -> list[Manifest]:
    """The decisions, once there are as many as there should be and each has its day."""

    async def ask() -> list[Manifest] | None:
        items = await agency.decisions()
        dated = [item for item in items if "effectiveAt" in item.get("status", {})]
        return items if len(dated) == len(items) >= FALLING + len(DEFERRED) else None

    return await poll(ask, lambda: "a decision about each", CONVERGED)


async def gone(agency: Agency, before: dict[str, str], count: int) -> bool:
    return len(before) - len(await agency.routes()) >= count


async def same(asked: Any, wanted: object) -> bool:
    return bool(await asked == wanted)


async def told_once(agency: Agency, mail: MailServer, figures: Figures) -> None:
    """The sixty got one announcement and one message that it happened, the deferred an announcement each."""
    once = dict.fromkeys(agency.falling, 1)
    wanted = {HELD: once, CARRIED_OUT: once, ANNOUNCED: dict.fromkeys(agency.deferred, 1)}

    async def all_told() -> bool:
        return all(by_service(mail.received, subject) == those for subject, those in wanted.items())

    def told() -> str:
        counts = [Counter(by_service(mail.received, subject).values()) for subject in wanted]
        return f"one mail of each kind for each: {counts}"

    await poll(all_told, told, CONVERGED)
    in_all = dict.fromkeys(agency.falling, 2) | wanted[ANNOUNCED]
    assert by_service(mail.received, UNPUBLICATION) == in_all, "and nothing else"
    copies = Counter((one.recipients[0], str(one.message["Message-ID"])) for one in mail.received)
    again = {key: count for key, count in copies.items() if count > 1}
    assert all(count == 2 for count in again.values()), "the operator died once"
    figures.add("… mails received", len(mail.received), {"sent again after the crash": len(again)})
