# SPDX-License-Identifier: Apache-2.0
"""The operator and the authorizer with the rights of their manifests, and the real Envoy."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.access.stage import Front, before
from tests.authorizer.conftest import own_kubeconfig, running, tls
from tests.authorizer.running import AuthorizerProcess, Tls
from tests.operator.conftest import site
from tests.support.kubectl import Kubectl
from tests.support.register import Register
from tests.support.site import Site

__all__ = ["own_kubeconfig", "running", "site", "tls"]


@pytest.fixture
async def register(site: Site) -> AsyncIterator[Register]:
    """A holder with a register in Production beside the site's e-services."""
    await site.prepare()
    made = Register(site)
    await made.prepare()
    yield made
    await made.clear()


@pytest.fixture
async def front(
    register: Register, running: AuthorizerProcess, tls: Tls, kubectl: Kubectl, tmp_path: Path
) -> AsyncIterator[Front]:
    """Envoy in front of v5 of the register."""
    async with before(register, running, tls, kubectl, tmp_path) as made:
        yield made
