# SPDX-License-Identifier: Apache-2.0
"""The operator and the authorizer with the rights of their manifests, and the real Envoy."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.access.market import Market
from tests.access.people import Person, person_of
from tests.access.stage import Front, before
from tests.authorizer.conftest import own_kubeconfig, running, tls
from tests.authorizer.running import AuthorizerProcess, Tls
from tests.operator.conftest import register, site
from tests.support.kubectl import Kubectl
from tests.support.register import Register
from tests.support.rights import CREDENTIAL_RIGHTS, applied

if TYPE_CHECKING:
    from controlplane import Cluster

__all__ = ["own_kubeconfig", "register", "running", "site", "tls"]


@pytest.fixture
async def front(
    register: Register, running: AuthorizerProcess, tls: Tls, kubectl: Kubectl, tmp_path: Path
) -> AsyncIterator[Front]:
    """Envoy in front of v5 of the register."""
    async with before(register, running, tls, kubectl, tmp_path) as made:
        yield made


@pytest.fixture
async def market(register: Register) -> AsyncIterator[Market]:
    """A supplier and its customers, none of whom has come yet."""
    made = Market(register)
    yield made
    await register.site.delete(made.ref)


@pytest.fixture
async def consumer(register: Register, cluster: Cluster, tmp_path: Path) -> Person:
    """The institution whose e-services ask."""
    return await person_of(register.site, cluster, register.site.namespace, tmp_path)


@pytest.fixture
async def holder(register: Register, cluster: Cluster, tmp_path: Path) -> Person:
    """The institution whose register it is."""
    return await person_of(register.site, cluster, register.namespace, tmp_path)


@pytest.fixture(scope="module")
def copying(ground: Cluster) -> Iterator[None]:
    """The module's operator may copy Secrets."""
    applied(ground, CREDENTIAL_RIGHTS)
    yield
    applied(ground, CREDENTIAL_RIGHTS, "delete")
