# SPDX-License-Identifier: Apache-2.0
"""What a release has to pass, in the order in which people meet it: the one place where order lives.

R8's own gate comes after all of these (`gates`); it reads decisions, and they read this list for a renewal.
"""

from __future__ import annotations

from eservice_operator.core.access_gate import access_granted
from eservice_operator.core.install_gates import (
    accepted,
    delivery_complete,
    registered,
    requested,
    template_supported,
)
from eservice_operator.core.publish_gates import catalogued, host_allowed, installed, verified
from eservice_operator.core.unmet import Check

BEFORE_PRODUCTION: tuple[Check, ...] = (
    registered,
    template_supported,
    access_granted,
    installed,
    host_allowed,
)
"""In Test and Acceptance."""
IN_PRODUCTION: tuple[Check, ...] = (
    registered,
    template_supported,
    delivery_complete,
    accepted,
    requested,
    access_granted,
    installed,
    host_allowed,
    catalogued,
    verified,
)
