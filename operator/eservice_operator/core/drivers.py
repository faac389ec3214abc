# SPDX-License-Identifier: Apache-2.0
"""Which driver publishes, as the policy says, and which one may have done so before."""

from __future__ import annotations

from eservice_operator.core.driver import Driver
from eservice_operator.core.gateway_driver import GatewayDriver
from eservice_operator.core.ingress_driver import IngressDriver
from eservice_operator.core.policy import Policy, PublishBy


def driver_of(policy: Policy) -> Driver:
    """The driver that is set up."""
    return IngressDriver(policy) if policy.publish_by is PublishBy.INGRESS else GatewayDriver(policy)


def former_driver_of(policy: Policy) -> Driver:
    """The driver that is not: what reads the routes from before the setting was changed."""
    return GatewayDriver(policy) if policy.publish_by is PublishBy.INGRESS else IngressDriver(policy)
