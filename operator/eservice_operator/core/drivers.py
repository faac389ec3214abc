# SPDX-License-Identifier: Apache-2.0
"""Which driver publishes, as the policy says."""

from __future__ import annotations

from eservice_operator.core.driver import Driver
from eservice_operator.core.gateway_driver import GatewayDriver
from eservice_operator.core.policy import Policy


def driver_of(policy: Policy) -> Driver:
    """The driver that is set up."""
    return GatewayDriver(policy)
