# SPDX-License-Identifier: Apache-2.0
"""What the notice page is told about an e-service: everything travels with the request, in one header.

So the page has no state, no rights and nothing to watch: the rule of the route that leads to it carries what
it shows, and a client that sends such a header itself is overwritten by the gateway.
"""

from __future__ import annotations

import base64
import json
from datetime import datetime

from eservice_operator.api.publication import Publication
from eservice_operator.core.cleaning import one_line
from eservice_operator.core.dates import instant

VERSION = 1
LONGEST_TITLE = 200
"""Characters; what is longer is cut."""
LONGEST_VALUE = 4_000
"""Characters; the Gateway API takes 4,096."""


def notice_value(publication: Publication, until: datetime | None) -> str:
    """The header's value: base64url (no padding) of compact JSON with ``title``, ``catalogue`` and ``until``.

    ``until`` is when the e-service comes back by itself, where that is known.
    """
    catalogue = publication.catalogue
    titles = {"lv": catalogue.title.lv, "en": catalogue.title.en}
    told: dict[str, object] = {
        "v": VERSION,
        "title": {language: one_line(title, LONGEST_TITLE) for language, title in titles.items() if title},
        "catalogue": catalogue.url,
        "until": None if until is None else instant(until),
    }
    value = _encoded(told)
    return value if len(value) <= LONGEST_VALUE else _encoded(told | {"catalogue": None})


def _encoded(told: dict[str, object]) -> str:
    kept = {key: value for key, value in told.items() if value}
    text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode("ascii")
