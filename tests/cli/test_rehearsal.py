# SPDX-License-Identifier: Apache-2.0
"""``forecast -f``: edited EServiceTemplates are tried out over the cluster, before anybody applies them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from eservice_operator.api.schema import VALIDATIONS, Schema
from eservice_operator.cli import forecast as asking
from eservice_operator.cli import forecasting as answering
from eservice_operator.cli.check_rules import schema_of
from eservice_operator.cli.editions import NEVER
from eservice_operator.cli.filling import Unread
from eservice_operator.cli.program import program
from eservice_operator.cli.world import Live
from eservice_operator.cluster.observe import Observer
from eservice_operator.cluster.store import Store
from tests.cli.test_forecast import MEMBERS, stored
from tests.support import worlds
from tests.support.pure_fleet import PureFleet
from tests.support.worlds import NAMESPACE, NOW, POLICY, TEMPLATE

Golden = Callable[[str, str], None]
Body = dict[str, Any]
KNOWN = (*worlds.VERSIONS, worlds.NEXT_VERSION)
WARNING = worlds.template(KNOWN, lifecycle={"enforcement": "Warn"})


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    """Three e-services on 3.0.0 of a template that only warns; 4.0.0 makes them overdue on 2027-06-01."""
    fleet = PureFleet.of(MEMBERS)
    fleet.put_template(WARNING)
    fleet.settle(NOW)
    found = stored(fleet)
    monkeypatch.setattr(answering, "live", lambda *_: Live(found, Observer(found, POLICY), POLICY, NOW))
    monkeypatch.setattr(asking, "now", lambda: NOW)
    return found


def file(folder: Path, *bodies: Body) -> str:
    path = folder / "edited.yaml"
    kept = [
        {key: body[key] for key in ("apiVersion", "kind", "spec")}
        | {"metadata": {"name": body["metadata"]["name"]}}
        for body in bodies
    ]
    path.write_text(yaml.safe_dump_all(kept, sort_keys=False))
    return str(path)


def edited(**lifecycle: Any) -> Body:
    return dict(worlds.merged(WARNING, {"spec": {"lifecycle": lifecycle}}))


def with_versions(*versions: Body) -> Body:
    return WARNING | {"spec": WARNING["spec"] | {"versions": list(versions)}}


def forecast(*arguments: str, code: int = 0, given: str | None = None) -> Result:
    answer = CliRunner().invoke(program, ["forecast", *arguments], input=given)
    assert answer.exit_code == code, answer.output
    return answer


def document(*arguments: str, until: str = "2028-12-31") -> Body:
    found: Body = json.loads(forecast(*arguments, "--until", until, "-o", "json").stdout)
    return found


def dates(found: Body) -> dict[str, set[str]]:
    """The instants of each action."""
    actions = {one["action"] for one in found["items"]}
    return {action: {one["at"] for one in found["items"] if one["action"] == action} for action in actions}


def put(store: Store, body: Body) -> None:
    """Apply an edited template: the API server keeps the status."""
    known = store.get("EServiceTemplate", "", body["metadata"]["name"])
    assert known is not None
    metadata = known["metadata"] | {"resourceVersion": "1000"}
    store.upsert(known | {"metadata": metadata, "spec": body["spec"]})


RECALLED = worlds.template(
    (*worlds.recalled("2026-11-02", "2027-01-31", "a fault"), worlds.NEXT_VERSION),
    lifecycle={"enforcement": "Enforce"},
)
EDITS = {
    "enforce": edited(enforcement="Enforce"),
    "enforce later": edited(enforcement="Enforce", enforceFrom="2027-09-01"),
    "notice": edited(enforcement="Enforce", noticePeriod="P12M"),
    "lag": edited(enforcement="Enforce", maximumLag="P1M"),
    "brake": edited(enforcement="Enforce", brake={"atLeast": 1, "percent": 1}),
    "observe": edited(enforcement="Observe"),
    "recall": RECALLED,
}


@pytest.mark.parametrize("name", EDITS)
def test_what_is_tried_out_is_what_happens_once_it_is_applied(
    store: Store, tmp_path: Path, name: str
) -> None:
    tried = document("-f", file(tmp_path, EDITS[name]))
    put(store, EDITS[name])
    applied = document()
    assert tried["items"] == applied["items"]
    assert tried.pop("triedOut")
    assert tried == applied


def test_from_warn_to_enforce(tmp_path: Path, golden: Golden) -> None:
    assert "Unpublish" not in dates(document())
    path = file(tmp_path, EDITS["enforce"])
    assert dates(document("-f", path))["Unpublish"] == {"2027-05-31T21:00:00Z"}
    golden("forecast-edited", forecast("-f", path, "--until", "2027-12-31").stdout)
    golden("forecast-edited-at", forecast("-f", path, "--at", "2027-06-01").stdout)


def test_a_recall(tmp_path: Path, golden: Golden) -> None:
    path = file(tmp_path, RECALLED)
    found = document("-f", path)
    assert dates(found)["Unpublish"] == {"2027-01-31T22:00:00Z"}
    assert f"{TEMPLATE} versions.3.0.0.withdrawn.replaceBy: nothing → 2027-01-31" in found["triedOut"]
    golden("forecast-recall", forecast("-f", path, "--until", "2027-02-28").stdout)


def test_every_kind_of_change_is_named(tmp_path: Path) -> None:
    path = file(tmp_path, edited(enforcement="Enforce", warnBefore=[], brake={"percent": 20}))
    assert document("-f", path)["triedOut"] == [
        f"{TEMPLATE} lifecycle.brake.percent: 10 → 20",
        f"{TEMPLATE} lifecycle.enforcement: Warn → Enforce",
        f"{TEMPLATE} lifecycle.warnBefore: P6M, P3M, P1M, P7D → none",
    ]
    assert document("-f", file(tmp_path, WARNING))["triedOut"] == [
        f"{TEMPLATE}: as it is in the cluster, nothing is changed"
    ]


def test_a_publication_that_took_effect_stays_and_that_is_said(tmp_path: Path) -> None:
    later = worlds.version("3.0.0", "2025-10-01", "2026-12-01")
    found = document("-f", file(tmp_path, with_versions(worlds.VERSIONS[0], later, worlds.NEXT_VERSION)))
    assert f"{TEMPLATE} 3.0.0 stays published on 2025-11-01: that took effect" in found["triedOut"]
    assert found["items"] == document()["items"]


def test_an_instruction_goes_on_top_of_an_edited_template(tmp_path: Path) -> None:
    instruction = ("--template", TEMPLATE, "--version", "3.5.0", "--released", "2027-04-02")
    found = document("-f", file(tmp_path, EDITS["enforce"]), *instruction, "--published", "2027-04-03")
    assert dates(found)["Unpublish"] == {"2027-04-02T21:00:00Z"}
    assert f"{TEMPLATE} versions.3.5.0.released: nothing → 2027-04-02" in found["triedOut"]
    assert f"{TEMPLATE} lifecycle.enforcement: Warn → Enforce" in found["triedOut"]


def test_a_template_that_the_cluster_does_not_have(tmp_path: Path) -> None:
    new = worlds.template(metadata={"name": "viss-2030"})
    found = document("-f", file(tmp_path, new), "--template", "viss-2030")
    assert (found["items"], found["triedOut"]) == ([], ["viss-2030: a new template"])
    options = ("--template", "viss-2030", "--version", "9.0.0", "--released", "2027-01-01")
    assert document("-f", file(tmp_path, new), *options)["items"] == []


def test_where_templates_may_not_be_read_the_file_stands_for_the_template(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file(tmp_path, EDITS["enforce"])
    readable = dates(document("-f", path))
    known = store.get("EServiceTemplate", "", TEMPLATE)
    assert known is not None
    store.delete(known | {"metadata": known["metadata"] | {"resourceVersion": "1000"}})
    said = 'Error from server (Forbidden): eservicetemplates.eservice.dev is forbidden: User "me" cannot list'
    unread = (Unread("EServiceTemplate", "", said),)
    seen = Live(store, Observer(store, POLICY), POLICY, NOW, unread)
    monkeypatch.setattr(answering, "live", lambda *_: seen)
    found = document("-f", path, "-n", NAMESPACE)
    assert dates(found)["Unpublish"] == readable["Unpublish"]
    (told,) = found["triedOut"]
    assert told.startswith("viss-2020: as the file has it; what that changes is not known")


def test_a_template_that_cannot_be_read_in_the_cluster_is_mended_by_the_file(
    store: Store, tmp_path: Path
) -> None:
    put(store, WARNING | {"spec": WARNING["spec"] | {"lifecycle": {"enforcement": "Perhaps"}}})
    found = document("-f", file(tmp_path, EDITS["enforce"]))
    assert dates(found)["Unpublish"] == {"2027-05-31T21:00:00Z"}
    assert found["triedOut"][0].startswith("viss-2020: as the file has it")


def test_a_folder_and_standard_input_are_read_too(tmp_path: Path) -> None:
    path = Path(file(tmp_path, EDITS["enforce"], worlds.registration(), worlds.eservice()))
    answer = forecast("-f", str(tmp_path), "--until", "2027-12-31")
    assert "2 other documents are passed over: a forecast tries out templates only" in answer.stderr
    assert forecast("-f", "-", "--until", "2027-12-31", given=path.read_text()).stdout == answer.stdout


def test_files_filter_nothing(tmp_path: Path) -> None:
    path = file(tmp_path, EDITS["enforce"])
    assert len(document("-f", path, "-n", NAMESPACE)["items"]) == len(document("-f", path)["items"])
    assert document("-f", path, "-n", "elsewhere")["items"] == []


@pytest.mark.parametrize(
    "body, said",
    [
        (
            with_versions(*worlds.VERSIONS),
            f"EServiceTemplate {TEMPLATE} cannot be changed so: 4.0.0: versions are never removed",
        ),
        (
            with_versions(*worlds.VERSIONS, worlds.version("4.0.0", "2027-05-02", "2027-06-01")),
            "4.0.0: released never changes: add a new version instead",
        ),
        (
            edited(enforcement="Perhaps"),
            'edited.yaml:24: EServiceTemplate viss-2020: spec.lifecycle.enforcement: "Perhaps" is not',
        ),
        (edited(enforcment="Enforce"), "spec.lifecycle.enforcment: is not a field: remove it"),
        (worlds.template(KNOWN, metadata={"name": ""}), "metadata.name: is missing"),
    ],
    ids=["removed", "redated", "invalid", "unknown field", "nameless"],
)
def test_what_the_api_server_would_refuse_is_not_tried_out(tmp_path: Path, body: Body, said: str) -> None:
    assert said in forecast("-f", file(tmp_path, body), code=1).output


def test_a_withdrawal_is_not_taken_back(store: Store, tmp_path: Path) -> None:
    put(store, RECALLED)
    assert "3.0.0: a withdrawal stays" in forecast("-f", file(tmp_path, WARNING), code=1).output


def test_what_holds_no_template_is_refused(tmp_path: Path) -> None:
    assert (
        "there is no EServiceTemplate in"
        in forecast("-f", file(tmp_path, worlds.registration()), code=1).output
    )
    assert "no such file or folder" in forecast("-f", str(tmp_path / "nowhere"), code=1).output
    twice = forecast("-f", file(tmp_path, WARNING, WARNING), code=1).output
    assert f"EServiceTemplate {TEMPLATE} is there twice" in twice


def test_every_rule_of_the_crd_that_compares_with_the_template_there_is() -> None:
    def transitions(schema: Schema) -> Iterator[str]:
        for rule in schema.get(VALIDATIONS, ()):
            if "oldSelf" in rule["rule"]:
                yield rule["message"]
        for inner in (*schema.get("properties", {}).values(), *filter(None, [schema.get("items")])):
            yield from transitions(inner)

    assert set(transitions(schema_of("EServiceTemplate"))) == set(NEVER)
