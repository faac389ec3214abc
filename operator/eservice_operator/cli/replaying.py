# SPDX-License-Identifier: Apache-2.0
"""A recorded decision computed again from its own record (R8): the answer of ``replay``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click

from eservice_operator.api.decisions import UnpublishDecision
from eservice_operator.api.ground import Ground
from eservice_operator.api.parse import InvalidObject, read
from eservice_operator.cli.check_reading import documents_of
from eservice_operator.cli.check_values import UnreadableError
from eservice_operator.cli.output import as_json, as_yaml
from eservice_operator.cli.session import Session
from eservice_operator.cli.styles import BAD, FAINT, GOOD, HEADING
from eservice_operator.cli.text import clean, wrapped
from eservice_operator.core.dates import instant
from eservice_operator.core.replay import Fact, NotReplayableError, replay, replay_ground

DECISIONS: Final = "unpublishdecisions.eservice.dev"
KIND: Final = UnpublishDecision.__name__
NOT_REPRODUCED: Final = 1


def recompute(session: Session, name: str | None, filename: Path | None) -> int:
    """Replay the decision of that name, or those in that file, and print it; the exit code.

    Raises:
        ClickException: the file cannot be read, or holds no decision.
        KubectlError: there is no such decision, or it may not be read.
    """
    bodies = [_live(session, str(name))] if filename is None else _from_file(filename)
    results = [_replayed(body) for body in bodies]
    if session.machine:
        document = results[0] if len(results) == 1 else {"items": results}
        session.say(as_json(document) if session.output == "json" else as_yaml(document))
    else:
        for result in results:
            for line in _lines(session, result):
                session.say(line)
    return 0 if all(result["reproduced"] for result in results) else NOT_REPRODUCED


def _live(session: Session, name: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(session.kubectl.run("get", DECISIONS, name, "-o", "json"))
    return body


def _from_file(path: Path) -> list[dict[str, Any]]:
    try:
        found = [document.body for document in documents_of(path) if document.body.get("kind") == KIND]
    except UnreadableError as error:
        where = f"{path}:{error.line}" if error.line else str(path)
        raise click.ClickException(f"{where}: {error}") from None
    if not found:
        raise click.ClickException(f"{path} holds no {KIND}")
    return found


def _replayed(body: dict[str, Any]) -> dict[str, Any]:
    """What came of one decision, for programs."""
    metadata = body.get("metadata")
    name = str(metadata.get("name", "")) if isinstance(metadata, dict) else ""
    decision = read(UnpublishDecision, body)
    if isinstance(decision, InvalidObject):
        return {"decision": name, "reproduced": False, "error": f"cannot be read: {decision}", "facts": []}
    head = {"decision": name, "decidedAt": instant(decision.spec.decided_at)}
    try:
        facts, ground = replay(decision.spec), decision.status.ground
        later = () if ground is None else replay_ground(decision.spec, ground)
    except NotReplayableError as error:
        return head | {"reproduced": False, "error": f"not replayable: {error}", "facts": []}
    return head | {
        "reproduced": all(fact.reproduced for fact in (*facts, *later)),
        "facts": [_fact(fact) for fact in facts],
        **({} if ground is None else {"ground": _later(ground, later)}),
    }


def _later(ground: Ground, facts: tuple[Fact, ...]) -> dict[str, Any]:
    """The ground that it goes on, or took effect on."""
    return {"since": instant(ground.since), "facts": [_fact(fact) for fact in facts]}


def _fact(fact: Fact) -> dict[str, Any]:
    return {
        "fact": fact.name,
        "recorded": fact.recorded,
        "computed": fact.computed,
        "reproduced": fact.reproduced,
        "rule": fact.rule,
    }


def _lines(session: Session, result: dict[str, Any]) -> Iterator[str]:
    decided = f", decided at {result['decidedAt']}" if "decidedAt" in result else ""
    yield session.paint(clean(f"{result['decision']}{decided}"), **HEADING)
    if "error" in result:
        yield session.paint(f"✗ {clean(result['error'])}", **BAD)
        return
    yield from _fact_lines(session, result["facts"])
    if "ground" in result:
        since = result["ground"]["since"]
        yield session.paint(clean(f"The ground that counts since {since}, recorded in its status"), **HEADING)
        yield from _fact_lines(session, result["ground"]["facts"])
    if result["reproduced"]:
        yield "The record is what its own inputs lead to."
    else:
        yield "The record is not what its own inputs lead to: it was changed, or computed by other rules."


def _fact_lines(session: Session, facts: list[dict[str, Any]]) -> Iterator[str]:
    for fact in facts:
        mark, style = ("✓", GOOD) if fact["reproduced"] else ("✗", BAD)
        text = f"{fact['fact']}: {fact['recorded']}"
        if not fact["reproduced"]:
            text += f", but it comes out as {fact['computed']}"
        yield session.paint(clean(f"{mark} {text}"), **style)
        for line in wrapped(fact["rule"], session.prose, indent="    "):
            yield session.paint(line, **FAINT)
