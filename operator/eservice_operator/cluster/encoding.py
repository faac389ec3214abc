# SPDX-License-Identifier: Apache-2.0
"""The bodies of requests, byte for byte as the API server itself would write them."""

from __future__ import annotations

import json
from typing import Any, Final

APPLY: Final = "application/apply-patch+yaml"


def _escapes(*characters: int) -> dict[int, str]:
    return {character: f"\\u{character:04x}" for character in characters}


GO_ESCAPES: Final = _escapes(*map(ord, "<>&"), 0x2028, 0x2029)
"""What Go escapes in the strings of JSON besides what has to be."""
YAML_ESCAPES: Final = GO_ESCAPES | _escapes(*range(0x7F, 0xA0), 0xFEFF, 0xFFFE, 0xFFFF)
"""What YAML refuses, or takes for a line break, when it is not escaped. (It refuses pairs of surrogates, by
which ASCII stands for emoji, too: so the rest is sent as it is.)"""


def encoded(document: Any, content_type: str) -> bytes:
    """JSON as the API server itself would write it; for an apply, which it reads as YAML, as YAML too.

    It tells some documents apart by their bytes: the data of a ControllerRevision is immutable as text, and
    an apply of the same data is refused when the POST that made it was spelt otherwise.
    """
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.translate(YAML_ESCAPES if content_type == APPLY else GO_ESCAPES).encode()
