# SPDX-License-Identifier: Apache-2.0
"""Logs: one line per record, with the key of the object that it is about, whoever wrote it."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

from typing_extensions import override

from eservice_operator.core.keys import ObjectKey

_subject: ContextVar[ObjectKey | None] = ContextVar("subject", default=None)

NOISE: Mapping[str, int] = {
    "kopf.objects": logging.WARNING,  # a line per event and object, saying that it was queued
    "aiohttp.access": logging.WARNING,
}
"""Loggers that say little below this level; at the level `debug` they say all."""

RAISED = ("failed; will retry", "failed; escalating", "closed; will re-authenticate", " has failed: ")
"""Parts of what kopf says of an error that it then tries again, or raises."""


@contextmanager
def about(key: ObjectKey) -> Iterator[None]:
    """Everything logged inside is about this object."""
    token = _subject.set(key)
    try:
        yield
    finally:
        _subject.reset(token)


def subject_of(record: logging.LogRecord) -> ObjectKey | None:
    """The object that a record is about: of a reconcile under way, or the one that kopf attached."""
    key = _subject.get()
    if key is not None:
        return key
    reference = getattr(record, "k8s_ref", None)
    if not isinstance(reference, Mapping):
        return None
    kind, namespace, name = (reference.get(part) or "" for part in ("kind", "namespace", "name"))
    return ObjectKey(kind, namespace, name)


def tried_again(record: logging.LogRecord) -> bool:
    """Lower to a warning what kopf calls an error although it is tried again: nobody has to do anything.

    When it gives up, or one of its tasks ends, that is raised, and whoever does not try it again logs the
    error that it is, with where it came from.
    """
    again = record.name.startswith("kopf.") and any(part in record.getMessage() for part in RAISED)
    if again and record.levelno == logging.ERROR:
        record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
        record.exc_info = None
    return True


class JsonFormatter(logging.Formatter):
    """One JSON object per line: ts (UTC), level, logger, msg; kind, namespace, name, exception if known."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "ts": _timestamp(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "msg": record.getMessage(),
        }
        if (key := subject_of(record)) is not None:
            line.update(key._asdict())
        if (exception := _exception(self, record)) is not None:
            line["exception"] = exception
        return json.dumps(line, ensure_ascii=False, default=str)


class TextFormatter(logging.Formatter):
    """For people at a terminal. A message stays on its line, whatever was written into a name."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        key = subject_of(record)
        where = f" [{key}]" if key is not None else ""
        message = record.getMessage().replace("\r", "\\r").replace("\n", "\\n")
        text = f"{_timestamp(record)} {record.levelname:<7} {record.name}{where} {message}"
        exception = _exception(self, record)
        return text if exception is None else f"{text}\n{exception}"


def configure(level: str, form: str, stream: TextIO | None = None) -> None:
    """Send all records from ``level`` on to ``stream`` (standard error), as ``form``: json or text."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    handler.addFilter(tried_again)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name, least in NOISE.items():
        logging.getLogger(name).setLevel(logging.NOTSET if level == "debug" else least)
    logging.captureWarnings(capture=True)


def _timestamp(record: logging.LogRecord) -> str:
    instant = datetime.fromtimestamp(record.created, UTC)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _exception(formatter: logging.Formatter, record: logging.LogRecord) -> str | None:
    if record.exc_info and record.exc_info[0] is not None:
        return formatter.formatException(record.exc_info)
    return record.exc_text
