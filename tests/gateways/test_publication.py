# SPDX-License-Identifier: Apache-2.0
"""What a citizen gets through a real gateway, from the first release to the end of the public route."""

import pytest

from tests.gateways.stage import BACK, TARGET, Stage
from tests.support.site import says

pytestmark = pytest.mark.cluster

RATE = 200.0
"""Requests a second while releases change."""


@pytest.fixture(scope="module")
def operator_settings() -> dict[str, str]:
    return {"drain-delay": "2s"}


async def test_once_verified_the_first_citizen_is_answered(operated: Stage) -> None:
    site = operated.site
    await site.prepare()
    planned = site.planned()
    await operated.installed(planned)
    assert not (await operated.citizens.ask(planned.host)).served, "nobody has verified it"
    verified = await operated.apply(planned.verification())
    first = await operated.answered(planned)
    operated.measured("verified to the first 200", first.ends - verified, TARGET)
    assert first.ends - verified <= TARGET
    public = await site.settled(planned, "Published")
    assert says(public, "Published", "True")


async def test_a_new_release_takes_over_and_goes_back_without_one_failed_request(operated: Stage) -> None:
    site = operated.site
    await site.prepare()
    first = site.planned(replicas=2)
    second = first.renewed()
    await operated.published(first)
    async with operated.asked(first, RATE) as answers:
        await site.apply(await operated.eservice(second), second.act())
        await site.candidate(second)
        failed = await operated.apply(second.verification("Failed", number=1))
        await site.until(
            first.ref, lambda obj: says(obj, "Verified", "False", "VerificationFailed"), "failed"
        )
        switched = await operated.apply(second.verification("Passed", number=2))
        await site.settled(first, "Published")
        await site.kept_without_pods(first)

        await operated.pods.open(first.release)
        returned = await operated.apply(await operated.eservice(first))
        await site.settled(first, "Published")
        await site.kept_without_pods(second)
    operated.counted("a release verified, switched to, and gone back from", answers)
    assert answers.failed() == [], answers.story()
    assert answers.first(second.release).begins >= switched > failed, "nobody saw what was not verified"
    taken = answers.first(second.release, switched).ends - switched
    operated.measured("verified to the first answer of the new release", taken, BACK)
    assert taken <= BACK
    gone_back = answers.first(first.release, returned).ends - returned
    operated.measured("back to the kept release", gone_back, BACK)
    assert gone_back <= BACK
