# SPDX-License-Identifier: Apache-2.0
"""``replay`` of a decision in a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner, Result

from eservice_operator.cli.dated import Days
from eservice_operator.cli.dossier import Dossier
from eservice_operator.cli.program import program
from eservice_operator.cli.timeline import past
from tests.core.test_replay import made
from tests.support import worlds
from tests.support.pure_cluster import PureCluster

Golden = Callable[[str, str], None]


def recorded(**spec: Any) -> dict[str, Any]:
    """A decision as ``kubectl get -o yaml`` writes it."""
    body = made().model_dump(mode="json", by_alias=True, exclude_none=True)
    head = {"apiVersion": "eservice.dev/v1alpha1", "kind": "UnpublishDecision"}
    return dict(worlds.merged(head | body, {"spec": spec}))


def replay(path: Path, *bodies: dict[str, Any], output: str = "table") -> Result:
    path.write_text(yaml.safe_dump_all(bodies))
    arguments = () if output == "table" else ("-o", output)
    return CliRunner().invoke(program, ["replay", "-f", str(path), *arguments])


def test_a_record_in_order(tmp_path: Path, golden: Golden) -> None:
    answer = replay(tmp_path / "decision.yaml", recorded())
    assert answer.exit_code == 0, answer.output
    golden("replay", answer.output)


def test_a_tampered_record(tmp_path: Path, golden: Golden) -> None:
    answer = replay(tmp_path / "decision.yaml", recorded(overdueSince="2027-05-01"))
    assert answer.exit_code == 1
    golden("replay-tampered", answer.output)
    answer = replay(tmp_path / "decision.yaml", recorded(overdueSince="2027-05-01"), output="json")
    document = json.loads(answer.output)
    assert not document["reproduced"]
    wrong = {fact["fact"] for fact in document["facts"] if not fact["reproduced"]}
    assert wrong == {"overdueSince", "inputsHash"}


def test_several_are_all_to_come_out(tmp_path: Path) -> None:
    answer = replay(tmp_path / "all.yaml", recorded(), recorded(causedBy=None))
    assert answer.exit_code == 1
    assert answer.output.count("address-declaration-production-001, decided at") == 2


def test_an_older_record_is_said_to_be_not_replayable(tmp_path: Path) -> None:
    answer = replay(tmp_path / "old.yaml", worlds.decision())
    assert answer.exit_code == 1
    assert "not replayable: it was made by an operator that did not record its inputs yet" in answer.output


def test_what_is_no_decision(tmp_path: Path) -> None:
    assert "holds no UnpublishDecision" in replay(tmp_path / "other.yaml", worlds.eservice()).output
    answer = replay(tmp_path / "broken.yaml", recorded(decidedAt="yesterday"))
    assert answer.exit_code == 1
    assert "cannot be read: spec.decidedAt" in answer.output
    (tmp_path / "not.yaml").write_text("a: [")
    answer = CliRunner().invoke(program, ["replay", "-f", str(tmp_path / "not.yaml")])
    assert answer.exit_code == 1
    assert "not YAML" in answer.output


def test_a_name_or_a_file_and_not_both(tmp_path: Path) -> None:
    for arguments in ([], ["one", "-f", str(tmp_path)]):
        answer = CliRunner().invoke(program, ["replay", *arguments])
        assert answer.exit_code == 1
        assert "name one decision" in answer.output


def on_another_ground(**changed: Any) -> dict[str, Any]:
    """Made for 4.0.0, which was withdrawn; announced anew for 4.0.1."""
    cluster = PureCluster()
    put = (worlds.registration(), worlds.act(), worlds.verification(), worlds.eservice())
    cluster.put(worlds.template((*worlds.VERSIONS, worlds.NEXT_VERSION)), *put)
    cluster.settle(worlds.NOW)
    withdrawn = {"withdrawn": {"at": "2027-02-09", "reason": "a mistake"}}
    mended = worlds.version("4.0.1", "2027-05-01", "2027-09-01")
    cluster.put(worlds.template((*worlds.VERSIONS, worlds.merged(worlds.NEXT_VERSION, withdrawn), mended)))
    cluster.settle(worlds.at("2027-07-01"))
    (body,) = cluster.of_kind("UnpublishDecision").values()
    return dict(worlds.merged(body, {"status": {"ground": changed}} if changed else {}))


def test_the_ground_that_was_recorded_later_comes_out_too(tmp_path: Path, golden: Golden) -> None:
    answer = replay(tmp_path / "decision.yaml", on_another_ground())
    assert answer.exit_code == 0, answer.output
    golden("replay-ground", answer.output)


def test_a_tampered_ground_is_found(tmp_path: Path) -> None:
    answer = replay(tmp_path / "decision.yaml", on_another_ground(causedBy="4.0.0"), output="json")
    assert answer.exit_code == 1
    document = json.loads(answer.output)
    assert all(fact["reproduced"] for fact in document["facts"])
    wrong = {fact["fact"] for fact in document["ground"]["facts"] if not fact["reproduced"]}
    assert wrong == {"status.ground.causedBy", "status.ground.inputsHash"}


def test_the_history_tells_of_it() -> None:
    days = Days(worlds.at("2027-07-02"), worlds.RIGA)
    entries = past(Dossier(worlds.eservice(), decisions=(on_another_ground(),)), days)
    (told,) = (entry for entry in entries if entry.what == "GroundRecorded")
    assert told.at == "2027-07-01T09:00:00Z"
    assert told.text == (
        "goes on for another reason: 3.0.0 lags behind 4.0.1 by more than P18M, overdue since 2027-09-01"
    )
