# SPDX-License-Identifier: Apache-2.0
"""Everybody on one stage: an institution, a holder, and an operator that tells people what it does.

One operator for the whole folder, so that what one attack leaves behind would harm the next; its rights have
to be enough for it to the end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eservice_operator.api.names import ENVIRONMENT_LABEL
from tests.adversarial.cast import Cast, Part, cast_of
from tests.adversarial.post_office import PostOffice, post_office
from tests.operator.conftest import register, rests, site
from tests.support.audit import AuditLog
from tests.support.fleet import namespace
from tests.support.operator import OperatorProcess
from tests.support.register import Register
from tests.support.rights import assert_none_was_missing, operator_credentials

if TYPE_CHECKING:
    from controlplane import Cluster

__all__ = ["register", "rests", "site"]


@pytest.fixture(autouse=True)
def always(judged: None) -> None:
    """What must always be so is judged over every test."""


@pytest.fixture(scope="package")
def post() -> Iterator[PostOffice]:
    """What the operator sends."""
    with post_office() as opened:
        yield opened


@pytest.fixture(scope="package")
def launched(
    cluster: Cluster, post: PostOffice, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    """The folder's operator, starting."""
    folder = tmp_path_factory.mktemp("operator")
    audit = AuditLog.from_now(cluster.audit_log)
    credentials = operator_credentials(cluster, folder / "credentials")
    settings = post.settings | {"notice-service": "eservice-notice"}
    process = OperatorProcess(credentials, folder / "log", settings)
    yield process.launch()
    process.end()
    assert_none_was_missing(audit.by())


@pytest.fixture
async def cast(register: Register, cluster: Cluster, tmp_path: Path) -> AsyncIterator[Cast]:
    """Everybody at home: the institution, the holder, and who has rights in Test only."""
    site, test = register.site, f"pmlp-test-{register.site.mark}"
    await site.apply(namespace(test, **{ENVIRONMENT_LABEL: "test"}))
    homes = {Part.HOLDER: register.namespace, Part.TESTER: test}
    async with cast_of(site, cluster, tmp_path, homes, site.namespace) as everybody:
        yield everybody
