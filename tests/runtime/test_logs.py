# SPDX-License-Identifier: Apache-2.0
"""The log: one line per record, with the key of the object it is about."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest

from eservice_operator.core.keys import ObjectKey
from eservice_operator.runtime.logs import NOISE, about, configure

KEY = ObjectKey("EService", "pmlp", "address")
log = logging.getLogger("eservice_operator.test")


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in NOISE}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, old in levels.items():
        logging.getLogger(name).setLevel(old)
    logging.captureWarnings(capture=False)


def written(form: str, level: str = "info") -> StringIO:
    stream = StringIO()
    configure(level, form, stream)
    return stream


def lines(stream: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_when_how_bad_who_and_what() -> None:
    stream = written("json")
    log.info("%d keys", 3)
    (line,) = lines(stream)
    assert line.pop("ts").endswith("Z")
    assert line == {"level": "info", "logger": "eservice_operator.test", "msg": "3 keys"}


def test_a_request_that_is_tried_again_is_no_error() -> None:
    stream = written("json")
    kopfs = logging.getLogger("kopf._cogs.clients.watching")
    kopfs.error("Request attempt #1/15 failed; will retry: GET … -> APITooManyRequestsError()")
    kopfs.error("Request attempt #15/15 failed; escalating: GET …")
    kopfs.error("Request attempt #2/15 failed; TCP closed; will re-authenticate: GET …")
    try:
        raise ValueError("no JSON")
    except ValueError:
        kopfs.exception("Watcher for eservices.eservice.dev has failed: no JSON")
    kopfs.error("the event loop is closed")
    log.error("the disk failed; will retry")
    told = lines(stream)
    assert [line["level"] for line in told] == ["warning"] * 4 + ["error"] * 2
    assert not [line for line in told if "exception" in line], "who does not try again logs it"


def test_everything_said_during_a_reconcile_carries_the_key_whoever_says_it() -> None:
    stream = written("json")
    with about(KEY):
        log.info("ours")
        logging.getLogger("aiohttp.client").warning("theirs")
    log.info("nobody's")
    ours, theirs, nobodys = lines(stream)
    key = {"kind": "EService", "namespace": "pmlp", "name": "address"}
    assert key.items() <= ours.items()
    assert key.items() <= theirs.items()
    assert "name" not in nobodys


def test_what_kopf_says_about_an_object_carries_its_key() -> None:
    stream = written("json")
    reference = {
        "apiVersion": "eservice.dev/v1alpha1",
        "kind": "EServiceTemplate",
        "name": "viss",
        "namespace": None,
    }
    logging.getLogger("kopf.objects").error("Handler failed", extra={"k8s_ref": reference})
    (line,) = lines(stream)
    assert (line["kind"], line["namespace"], line["name"]) == ("EServiceTemplate", "", "viss")


def test_what_kopf_says_about_every_event_is_left_out_unless_debugging() -> None:
    stream = written("json")
    logging.getLogger("kopf.objects").info("Handler 'EService-changed' succeeded.")
    assert lines(stream) == []
    stream = written("json", "debug")
    logging.getLogger("kopf.objects").info("Handler 'EService-changed' succeeded.")
    assert len(lines(stream)) == 1


def test_an_exception_is_in_the_line_of_its_record() -> None:
    stream = written("json")
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        log.exception("it broke")
    (line,) = lines(stream)
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("ValueError: first\nsecond")


@pytest.mark.parametrize("form", ["json", "text"])
def test_nobody_can_forge_a_line(form: str) -> None:
    stream = written(form)
    log.info("the template is called %s", 'x\n{"level":"error"}\r\nERROR forged')
    assert len(stream.getvalue().splitlines()) == 1


def test_letters_of_every_language_are_written_as_they_are() -> None:
    stream = written("json")
    log.info("Dzīvesvietas deklarēšana")
    assert "Dzīvesvietas deklarēšana" in stream.getvalue()


def test_text_is_for_people() -> None:
    stream = written("text")
    with about(KEY):
        log.warning("not published")
    assert stream.getvalue().split(" ", 1)[1] == (
        "WARNING eservice_operator.test [EService pmlp/address] not published\n"
    )
