# SPDX-License-Identifier: Apache-2.0
"""What each part may do to the kinds of the contract, at home; whatever is not here is forbidden."""

from __future__ import annotations

from collections.abc import Mapping

from eservice_operator.api.kinds import KINDS
from tests.adversarial.cast import Part

WRITE, STATUS, DELETE, READ = "write", "write the status of", "delete", "read"
EVERYTHING = (WRITE, STATUS, DELETE, READ)
NAMESPACED = tuple(kind.kind for kind in KINDS if kind.namespaced)
Permitted = Mapping[str, tuple[str, ...]]

PERMITTED: Mapping[Part, Permitted] = {
    Part.ADMIN: dict.fromkeys(NAMESPACED, EVERYTHING),
    Part.HOLDER: dict.fromkeys(NAMESPACED, EVERYTHING),
    Part.DEVELOPER: {"EService": (WRITE, DELETE, READ), "ProductionVerification": (READ,)},
    Part.TESTER: {"EService": (READ,)},
    Part.VERIFIER: {"ProductionVerification": (READ,), "EService": (READ,)},
    Part.ON_CALL: {kind.kind: (READ,) for kind in KINDS},
    Part.ANYBODY: {},
    Part.ANONYMOUS: {},
}
