# SPDX-License-Identifier: Apache-2.0
"""The operator is killed at every write of what opens and closes access, and of what ends a public service.

What is judged is the same as in test_kill_services.py. They are two files so that two processes share them.
"""

from __future__ import annotations

import pytest

from tests.faults.conftest import Opening
from tests.faults.every_write import killed_at_every_write
from tests.faults.killing import Theatre
from tests.faults.scenarios import CLOSING, CREDENTIALS, NOTICE_PAGE, Scenario
from tests.support.figures import Figures
from tests.support.zygote import Zygote

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]


@pytest.mark.parametrize("scenario", CLOSING, ids=str)
async def test_killed_at_every_write(theatre: Theatre, figures: Figures, scenario: Scenario) -> None:
    await killed_at_every_write(theatre, figures, scenario)


@pytest.mark.usefixtures("copying")
async def test_killed_at_every_write_of_credentials(theatre: Theatre, figures: Figures) -> None:
    """At what a grant and its end without any do not write as well."""
    of = {"secrets", "configmaps", "webservicegrants"}
    await killed_at_every_write(theatre, figures, CREDENTIALS, of)


async def test_killed_at_every_write_where_there_is_a_notice_page(
    opened: Opening, brood: Zygote, figures: Figures
) -> None:
    async with opened(brood.launch, notice_service="eservice-notice") as theatre:
        await killed_at_every_write(theatre, figures, NOTICE_PAGE, {"httproutes", "unpublishdecisions"})
