# SPDX-License-Identifier: Apache-2.0
"""What a token says of itself. Nobody has checked it: it is good for saying no, never for saying yes."""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode
from typing import Any, NamedTuple

from eservice_operator.api.names import SERVICE_ACCOUNT


class Claims(NamedTuple):
    """Whom it is for, until when (seconds since the epoch), and whose it is."""

    audiences: tuple[str, ...]
    expires: float
    subject: str

    def worth_asking(self, audience: str, now: float) -> bool:
        """Whether the API server could take it for a ServiceAccount's token of this audience at all."""
        return audience in self.audiences and now < self.expires and self.subject.startswith(SERVICE_ACCOUNT)


def claims_of(token: str) -> Claims | None:
    """The claims of a token; None when it has no such claims."""
    try:
        payload = token.split(".")[1]
        read: Any = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        audiences = read["aud"]
        named = (audiences,) if isinstance(audiences, str) else tuple(map(str, audiences))
        return Claims(named, float(read["exp"]), str(read["sub"]))
    except (binascii.Error, ValueError, ArithmeticError, TypeError, LookupError, RecursionError):
        return None
