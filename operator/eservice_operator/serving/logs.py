# SPDX-License-Identifier: Apache-2.0
"""One JSON object per line on standard error, in the form that the operator's own log has."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Final

from typing_extensions import override

FIELDS: Final = "fields"
"""The attribute of a record (``extra``) with what else its line says."""


class JsonLines(logging.Formatter):
    """ts (UTC), level, logger, msg, then the record's ``fields``; exception if there is one."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        instant = datetime.fromtimestamp(record.created, UTC)
        line = {
            "ts": instant.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "msg": record.getMessage(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure() -> None:
    """Everything from information on."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
