# SPDX-License-Identifier: Apache-2.0
"""What the rules say, in one sentence each; docs/rules.md has them in full."""

from __future__ import annotations

from typing import Final

SAYS: Final = {
    "R1": "The institution files a signed application, and the Agency registers the e-service, its namespaces"
    " and its hosts.",
    "R2": "After the acceptance test the Agency prepares the acceptance act, and both sides sign it.",
    "R3": "Access to another institution's web service is opened on its holder's request, by nobody else.",
    "R4": "After the act is signed the institution requests the installation and names the full delivery; the"
    " catalogue describes the e-service before it goes live.",
    "R5": "It is installed within ten working days of the later of the act's signature and the request.",
    "R6": "The institution's staff check it in production before the public sees it.",
    "R7": "The institution migrates to the latest version of its template at least once a year.",
    "R8": "A release that lags more than the maximum behind its template's current version is unpublished,"
    " the institution is told, and it stays unpublished until it is renewed.",
    "R9": "An agent with an agreement and two pilot customers connects once; further customers join through"
    " its connection.",
    "R10": "A consumer moves before its contract version ends; for SOAP each version is granted, tested and"
    " evidenced for itself.",
}
GATES: Final = (
    "Registered",
    "TemplateSupported",
    "DeliveryComplete",
    "Accepted",
    "Requested",
    "AccessGranted",
    "Installed",
    "HostAllowed",
    "Catalogued",
    "Verified",
    "TemplateWithinLimit",
)
"""In the order they are met in Production; core/gates.py has the checks."""
GATES_ELSEWHERE: Final = ("Registered", "TemplateSupported", "AccessGranted", "Installed", "HostAllowed")
"""Those that bind in Test and Acceptance too."""
