# SPDX-License-Identifier: Apache-2.0
"""``check``: what files come to, by exit code and by sentence, and files that mean harm."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from eservice_operator.cli.check_promises import PROMISES
from eservice_operator.cli.check_reading import documents_of
from eservice_operator.cli.check_rules import problems
from eservice_operator.cli.program import program
from tests.contract.manifests import SAMPLES, changed, example
from tests.contract.rule_cases import RULES, Rule
from tests.support import worlds

Golden = Callable[[str, str], None]
DAY = "2026-10-13"
"""The day after the verification of `worlds.eservice`."""


def check(*arguments: str | Path, given: str | None = None) -> Result:
    return CliRunner().invoke(program, ["check", *map(str, arguments)], input=given)


def manifest(body: dict[str, Any]) -> dict[str, Any]:
    """The object as people write it."""
    kept = {key: value for key, value in body["metadata"].items() if key in {"name", "namespace"}}
    return {**{key: body[key] for key in ("apiVersion", "kind")}, "metadata": kept, "spec": body["spec"]}


def written(folder: Path, *bodies: dict[str, Any], name: str = "all.yaml") -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump_all([manifest(body) for body in bodies], sort_keys=False))
    return path


def on(version: str, **patch: Any) -> dict[str, Any]:
    return worlds.eservice(**worlds.merged({"spec": {"template": {"version": version}}}, patch))


PRUDENT = {"noticePeriod": "P1M"}
"""A policy that nothing is to be said against."""
ALL = (*worlds.VERSIONS, worlds.version("3.1.0", "2026-06-01", "2026-07-01"))


@pytest.mark.parametrize(
    "version,day,code,said",
    [
        ("3.0.0", "2026-06-30", 0, ""),
        ("3.0.0", DAY, 2, "viss-2020 3.0.0 is to be migrated by 2027-07-01: renew on 3.1.0"),
        ("3.0.0", "2027-07-02", 2, "viss-2020 3.0.0 should have been migrated by 2027-07-01"),
        ("2.0.0", DAY, 3, "is overdue since 2025-11-01: it lags behind 3.0.0 by more than P18M"),
        ("9.0.0", DAY, 1, "EServiceTemplate viss-2020 has no version 9.0.0"),
    ],
)
def test_the_exit_code_says_where_the_release_stands(
    tmp_path: Path, version: str, day: str, code: int, said: str
) -> None:
    path = written(tmp_path, worlds.template(ALL), on(version))
    answer = check("-f", path, "--at", day)
    assert (answer.exit_code, said in answer.output) == (code, True), answer.output
    assert "as if the releases named were public" in answer.output


def test_what_would_be_unpublished_within_a_period(tmp_path: Path) -> None:
    path = written(tmp_path, worlds.template((*worlds.VERSIONS, worlds.NEXT_VERSION)), on("3.0.0"))
    assert check("-f", path, "--at", DAY).exit_code == 0
    answer = check("-f", path, "--at", DAY, "--within", "P9M")
    assert answer.exit_code == 3
    assert "overdue from 2027-06-01" in answer.output
    assert "leaves the public route on 2027-06-01" in answer.output


@pytest.mark.parametrize("lifecycle", [{"enforcement": "Warn"}, {"enforceFrom": "2027-01-01"}])
def test_a_policy_that_does_not_enforce_yet_leaves_a_duty(tmp_path: Path, lifecycle: dict[str, Any]) -> None:
    path = written(tmp_path, worlds.template(ALL, lifecycle=lifecycle), on("2.0.0"))
    answer = check("-f", path, "--at", DAY)
    assert answer.exit_code == 2
    assert "the policy of the template does not enforce" in answer.output


def test_a_deferral_among_the_files_counts(tmp_path: Path) -> None:
    path = written(tmp_path, worlds.template(ALL), on("2.0.0"), worlds.deferral("2026-12-31"))
    answer = check("-f", path, "--at", DAY)
    assert answer.exit_code == 2
    assert "deferred until 2026-12-31" in answer.output
    assert check("-f", path, "--at", DAY, "--within", "P4M").exit_code == 3


def test_outside_production_nothing_is_enforced(tmp_path: Path) -> None:
    test = worlds.eservice_in_test(spec={"template": {"version": "2.0.0"}})
    answer = check("-f", written(tmp_path, worlds.template(ALL), test), "--at", DAY)
    assert answer.exit_code == 0
    assert "note:" in answer.output
    assert "never enforced there" in answer.output


def test_a_template_that_is_not_given_is_invalid(tmp_path: Path) -> None:
    answer = check("-f", written(tmp_path, on("3.0.0")), "--at", DAY)
    assert answer.exit_code == 1
    assert "EServiceTemplate viss-2020 is not among the files" in answer.output


def test_of_several_the_worst_counts(tmp_path: Path) -> None:
    overdue, due = on("2.0.0"), on("3.0.0", metadata={"name": "other"})
    path = written(tmp_path, worlds.template(ALL), overdue, due)
    assert check("-f", path, "--at", DAY).exit_code == 3
    (tmp_path / "broken.yaml").write_text("apiVersion: eservice.dev/v1alpha1\nkind: EService\n")
    assert check("-f", tmp_path, "--at", DAY).exit_code == 1
    assert check("-f", written(tmp_path, worlds.template(ALL), due), "--at", DAY).exit_code == 2


def test_the_brake_does_not_hide_anything(tmp_path: Path) -> None:
    many = [
        on("2.0.0", metadata={"name": f"s{index}"}, spec={"registration": f"s{index}"}) for index in range(20)
    ]
    answer = check("-f", written(tmp_path, worlds.template(ALL), *many), "--at", DAY)
    assert answer.output.count("unpublish:") == 20


def test_findings_name_file_and_line(tmp_path: Path, golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    bad = on("2.0.0", metadata={"name": "tax"}, spec={"registration": "tax", "colour": "red"})
    bad["spec"]["workload"]["replicas"] = "many"
    written(tmp_path, worlds.template(ALL), name="template.yaml")
    written(tmp_path, on("2.0.0"), on("3.0.0", metadata={"name": "other"}), name="services.yml")
    written(tmp_path, bad, name="bad.yaml")
    (tmp_path / "deployment.yaml").write_text("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n")
    answer = check("-f", ".", "--at", DAY)
    golden("check", answer.output)
    golden("check-github", check("-f", ".", "--at", DAY, "-o", "github").stdout)
    document = json.loads(check("-f", ".", "--at", DAY, "-o", "json").stdout)
    assert document["exitCode"] == answer.exit_code == 1
    assert (document["checked"], document["ignored"]) == (4, 1)
    assert {one["severity"] for one in document["findings"]} == {
        "error",
        "unpublish",
        "duty",
        "warning",
        "note",
    }
    (red,) = (one for one in document["findings"] if "spec.colour" in one["message"])
    text = (tmp_path / "bad.yaml").read_text().splitlines()
    assert "colour" in text[red["line"] - 1]


def test_lists_json_and_what_is_piped_in_are_read_too(tmp_path: Path) -> None:
    items = [manifest(worlds.template(ALL)), manifest(on("2.0.0"))]
    listed = {"apiVersion": "v1", "kind": "List", "items": items}
    path = tmp_path / "all.json"
    path.write_text(json.dumps(listed, indent=1))
    answer = check(path, "--at", DAY, "-o", "json")
    document = json.loads(answer.stdout)
    assert answer.exit_code == 3
    (found,) = (one for one in document["findings"] if one["severity"] == "unpublish")
    assert '"version": "2.0.0"' in path.read_text().splitlines()[found["line"] - 1]
    assert check("-f", "-", "--at", DAY, given=json.dumps(listed)).exit_code == 3


def test_a_long_list_takes_no_longer_than_its_items_one_by_one(tmp_path: Path) -> None:
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "b"}}
    path = tmp_path / "list.yaml"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [item] * 10_000}, indent=1))
    begun = time.process_time()
    found = documents_of(path)
    assert time.process_time() - begun < 20
    assert len(found) == 10_000
    assert '"b"' in path.read_text().splitlines()[found[-1].line_of("data.a") - 1]


def test_the_samples_are_in_order() -> None:
    answer = check(*sorted(SAMPLES.glob("*.yaml")), "--at", "2026-11-22")
    assert answer.exit_code == 2, answer.output
    assert answer.output.count("is to be migrated by 2027-02-02: renew on 3.0.0") == 2


@pytest.mark.parametrize("case", RULES, ids=lambda case: f"{case.kind}: {case.message}")
def test_each_rule_of_the_crds_is_asked_offline(case: Rule) -> None:
    given = changed(example(case.kind), dict(case.given))
    for good in case.good:
        assert not list(problems(case.kind, changed(given, {case.path: good}))), good
    for bad in case.bad:
        found = [text for _, text in problems(case.kind, changed(given, {case.path: bad}))]
        assert any(case.message in text for text in found), bad


def test_every_rule_that_a_file_can_break_is_there() -> None:
    assert {case.message for case in RULES} == set(PROMISES)


@pytest.mark.parametrize(
    "text,said",
    [
        ("a: [1, 2", "not YAML"),
        ("a: 1\na: 2\n", "a is written twice"),
        ("&a [*a]", "its aliases stand for more than"),
        ("a: !!python/name:os.system x", "the tag"),
        ("a: " + "[" * 100 + "]" * 100, "goes deeper than 64 levels"),
        ("a: \x00", "not YAML"),
        ("? [a]\n: 1\n", "the name of a field is not text"),
        ("<<: 1\n", "<< takes a map"),
    ],
)
def test_a_file_that_cannot_be_read_is_said_and_invalid(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "hostile.yaml"
    path.write_text(text)
    answer = check("-f", path)
    assert answer.exit_code == 1
    assert said in answer.output, answer.output


def test_bombs_go_off_harmlessly(tmp_path: Path) -> None:
    laughs = "a0: &a0 [lol]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)
    )
    maps = "m0: &m0 {x: 1}\n" + "".join(
        f"m{n}: &m{n} {{{', '.join(f'k{k}: *m{n - 1}' for k in range(9))}}}\n" for n in range(1, 30)
    )
    merges = "m0: &m0 {x: 1}\n" + "".join(
        f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 9)}]}}\n" for n in range(1, 30)
    )
    deep = "[" * 500_000
    for name, text in {"laughs": laughs, "maps": maps, "merges": merges, "deep": deep}.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    (tmp_path / "big.yaml").write_text("#" * (3 * 1024 * 1024))
    (tmp_path / "latin.yaml").write_bytes(b"a: \xff\n")
    begun = time.process_time()
    answer = check("-f", tmp_path)
    assert time.process_time() - begun < 20
    assert answer.exit_code == 1
    for said in ("aliases stand for more", "deeper than 64", "larger than", "not UTF-8"):
        assert said in answer.output
    assert answer.output.count("error:") == 6


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "folder.yaml").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket.json"))
    for name, target in {"device": "/dev/zero", "dangling": "nowhere", "loop": "loop.yaml"}.items():
        (tmp_path / f"{name}.yaml").symlink_to(target)
    wrong = {"pipe.yaml", "socket.json", "device.yaml", "dangling.yaml", "loop.yaml"}
    answer = check("-f", tmp_path, "-o", "json")
    found = {Path(one["file"]).name: one["message"] for one in json.loads(answer.stdout)["findings"]}
    assert (answer.exit_code, set(found)) == (1, wrong)
    for name, message in found.items():
        assert "not a regular file" in message
        assert "not a regular file" in check("-f", tmp_path / name).output
        assert (
            "not a regular file" in CliRunner().invoke(program, ["replay", "-f", str(tmp_path / name)]).output
        )


def test_numbers_and_days_are_read_as_kubectl_reads_them(tmp_path: Path) -> None:
    body = manifest(on("3.0.0"))
    text = yaml.safe_dump(body).replace("'2026-10-05'", "2026-10-05")
    assert "requestedAt: 2026-10-05" in text
    path = tmp_path / "days.yaml"
    path.write_text(text + "---\n" + yaml.safe_dump(manifest(worlds.template())))
    assert check("-f", path, "--at", "2026-06-01").exit_code == 0


def test_nothing_given_or_nothing_there_is_an_error(tmp_path: Path) -> None:
    assert check().exit_code == 1
    answer = check("-f", tmp_path / "missing")
    assert answer.exit_code == 1
    assert "no such file or folder" in answer.output


def test_hostile_text_is_not_obeyed(tmp_path: Path) -> None:
    bad = on("2.0.0", spec={"evil\x1b[31m": 1})
    path = written(tmp_path, bad)
    for shown in ("table", "github"):
        assert "\x1b" not in check("-f", path, "--at", DAY, "-o", shown).output


def test_documents_that_are_no_objects_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "patch.yaml").write_text("- op: add\n  path: /spec\n---\njust text\n---\n")
    answer = check("-f", tmp_path, "--allow-empty")
    assert answer.exit_code == 0
    assert "nothing to say; 0 documents checked, 2 others passed over" in answer.output


@pytest.mark.parametrize("shown", ["table", "github", "json"])
def test_where_nothing_is_ours_nothing_was_checked(tmp_path: Path, shown: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "deployment.yaml").write_text("apiVersion: apps/v1\nkind: Deployment\n")
    for paths in ([tmp_path / "empty"], [tmp_path], [tmp_path / "empty", tmp_path / "deployment.yaml"]):
        said = f"no e-service objects found in {', '.join(map(str, paths))}"
        for more, code, word in (([], 1, "error"), (["--allow-empty"], 0, "warning")):
            answer = check(*paths, "-o", shown, *more)
            assert (answer.exit_code, f"{word}: {said}" in answer.stderr) == (code, True)
            if shown == "json":
                assert json.loads(answer.stdout)["exitCode"] == code


@pytest.mark.parametrize("given", ["", "{}", "---\n", "[]", "just text"])
def test_an_empty_answer_of_another_program_is_not_passed(given: str) -> None:
    answer = check("-f", "-", given=given)
    assert answer.exit_code == 1
    assert "error: no e-service objects found in -; --allow-empty lets that pass" in answer.stderr


def test_strict_changes_nothing_where_there_is_one(tmp_path: Path) -> None:
    path = written(tmp_path, worlds.template(ALL, lifecycle=PRUDENT), on("3.0.0"))
    answer = check(path, "--at", "2026-06-30", "--strict")
    assert answer.exit_code == 0
    assert "warning:" not in answer.output


def test_twice_the_same_object_is_an_error(tmp_path: Path) -> None:
    answer = check("-f", written(tmp_path, worlds.template(ALL), worlds.template(ALL)))
    assert answer.exit_code == 1
    assert "is there twice" in answer.output


RECKLESS = {
    "noticePeriod": "P0D",
    "warnBefore": [],
    "maximumDeferral": "P0D",
    "holdUninformed": "P0D",
    "brake": {"percent": 100, "atLeast": 5, "release": "0cbe811856"},
}


def policy(tmp_path: Path, lifecycle: dict[str, Any], *more: str, day: str = DAY) -> Result:
    return check(
        written(tmp_path, worlds.template(ALL, lifecycle=lifecycle)), "--at", day, "-o", "json", *more
    )


def warned(answer: Result) -> dict[str, str]:
    """The field and the severity of everything said of the policy."""
    found = json.loads(answer.stdout)["findings"]
    return {one["message"].partition(": ")[0].rpartition(".")[2]: one["severity"] for one in found}


def test_a_reckless_policy_is_told_where_it_stands(
    tmp_path: Path, golden: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, worlds.template(ALL, lifecycle=RECKLESS), name="template.yaml")
    answer = check("template.yaml", "--at", DAY)
    golden("check-policy", answer.output)
    golden("check-policy-github", check("template.yaml", "--at", DAY, "-o", "github").stdout)
    assert answer.exit_code == 0


@pytest.mark.parametrize(
    "lifecycle, said",
    [
        ({}, {"noticePeriod"}),
        ({"noticePeriod": "P1D"}, set()),
        ({"lagMeasure": "SinceSuperseded"}, set()),
        ({"lagMeasure": "SinceSuperseded", "maximumLag": "P0D"}, {"noticePeriod"}),
        ({"enforcement": "Warn"}, set()),
        ({"enforcement": "Observe", "warnBefore": []}, set()),
        ({"enforcement": "Warn", "warnBefore": []}, {"warnBefore"}),
        (PRUDENT | {"warnBefore": []}, {"warnBefore"}),
        (PRUDENT | {"brake": {"percent": 100}}, {"percent"}),
        (PRUDENT | {"brake": {"percent": 99}}, set()),
        (PRUDENT | {"brake": {"atLeast": 100}}, {"atLeast"}),
        (PRUDENT | {"brake": {"atLeast": 99}}, set()),
        (PRUDENT | {"brake": {"percent": 0, "atLeast": 100000}}, {"atLeast"}),
        (PRUDENT | {"maximumDeferral": "P0D"}, {"maximumDeferral"}),
        (PRUDENT | {"holdUninformed": "P0D"}, {"holdUninformed"}),
        (PRUDENT | {"enforceFrom": "2099-01-01"}, {"enforceFrom"}),
        (PRUDENT | {"enforceFrom": "2029-01-01"}, set()),
    ],
)
def test_what_a_policy_lets_happen_is_warned_of(
    tmp_path: Path, lifecycle: dict[str, Any], said: set[str]
) -> None:
    answer = policy(tmp_path, lifecycle)
    assert {field for field, severity in warned(answer).items() if severity == "warning"} == said
    strict = policy(tmp_path, lifecycle, "--strict")
    document = json.loads(strict.stdout)
    assert (answer.exit_code, strict.exit_code) == (0, 1 if said else 0)
    assert document["exitCode"] == strict.exit_code


def test_a_warning_never_hides_what_is_graver(tmp_path: Path) -> None:
    overdue = written(tmp_path, worlds.template(ALL), on("2.0.0"))
    assert check(overdue, "--at", DAY).exit_code == 3
    assert check(overdue, "--at", DAY, "--strict").exit_code == 1


def test_who_an_instruction_would_take_off_at_once_is_named(tmp_path: Path) -> None:
    (said,) = (
        one["message"]
        for one in json.loads(policy(tmp_path, {}, day="2027-05-01").stdout)["findings"]
        if one["severity"] == "warning"
    )
    assert "an instruction published on 2027-05-01" in said
    assert "(for a version released that day: all on 3.0.0)" in said
    later = policy(tmp_path, {"enforceFrom": "2028-02-01"}).stdout
    assert "an instruction published on 2028-02-01" in later
    assert "all on 3.0.0, 3.1.0" in later


@pytest.mark.parametrize(
    "lifecycle, when, count",
    [
        ({}, "as soon as this policy is applied", 1),
        ({"enforceFrom": "2026-01-01"}, "as soon as this policy is applied", 1),
        ({"enforceFrom": "2027-01-01"}, "from 2027-01-01 on", 1),
        ({"enforceFrom": "2027-01-01", "maximumLag": "P3M"}, "from 2027-01-01 on", 2),
    ],
)
def test_the_versions_that_are_overdue_at_once_are_counted(
    tmp_path: Path, lifecycle: dict[str, Any], when: str, count: int
) -> None:
    answer = policy(tmp_path, PRUDENT | lifecycle)
    assert f"{when} e-services on {count} of 3 versions are overdue" in answer.stdout
    assert warned(answer) == {"enforceFrom": "note"}
    assert policy(tmp_path, PRUDENT | lifecycle, "--strict").exit_code == 0


def test_where_nothing_is_overdue_nothing_is_counted(tmp_path: Path) -> None:
    new = written(tmp_path, worlds.template([worlds.NEXT_VERSION], lifecycle=PRUDENT))
    assert "enforceFrom" not in check(new, "--at", DAY).output


def test_a_release_of_the_brake_is_told_in_the_review_and_no_fault(tmp_path: Path) -> None:
    answer = policy(tmp_path, PRUDENT | {"brake": {"release": "0cbe811856"}}, "--strict")
    assert warned(answer)["release"] == "note"
    assert "kubectl eservice release-brake viss-2020 --list" in answer.stdout
    assert answer.exit_code == 0
