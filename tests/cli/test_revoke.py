# SPDX-License-Identifier: Apache-2.0
"""``revoke``: which decisions are meant, what comes of it, and what is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from eservice_operator.cli import revoke
from eservice_operator.cli.program import program
from tests.cli.objects import DAYS, decision

Body = dict[str, Any]


def about(name: str, caused_by: str | None = "3.1.0", template: str = "viss-2020", **status: Any) -> Body:
    """A decision about the e-service of that name."""
    body = decision(**({"state": "Scheduled", "reason": "Scheduled"} | status))
    body["metadata"]["name"] = f"{name}-production-001"
    body["spec"] |= {"eService": {"namespace": "vid-production", "name": name}, "causedBy": caused_by}
    body["spec"]["release"]["template"]["name"] = template
    return body


HELD = {"state": "Held", "reason": "NoLongerOverdue", "holdToken": "abc"}
DECISIONS = [
    about("held", **HELD),
    about("beside", **HELD | {"reason": "Brake"}),
    about("later"),
    about("off", state="Effective", reason="Effective"),
    about("recalled", caused_by=None),
    about("elsewhere", template="other"),
    about("renewed", state="Closed", reason="Renewed", message="renewed", holdToken="abc"),
    about("before", **HELD)
    | {"spec": about("before")["spec"] | {"revoked": {"at": "2026-11-20", "reason": "r"}}},
]


@pytest.fixture(autouse=True)
def cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revoke, "_decisions", lambda _: DECISIONS)
    monkeypatch.setattr(revoke, "now", lambda: DAYS.now)


def run(*arguments: str, code: int = 0) -> Result:
    answer = CliRunner().invoke(program, ["revoke", *arguments])
    assert answer.exit_code == code, answer.output
    return answer


def meant(*arguments: str) -> set[str]:
    """The e-services whose decisions would be revoked."""
    found = yaml.safe_load(run(*arguments, "--reason", "r", "--dry-run", "-o", "json").stdout)
    items = found["items"] if found["kind"] == "List" else [found]
    return {one["metadata"]["name"].removesuffix("-production-001") for one in items}


def test_decisions_are_chosen_by_name_by_set_or_by_template() -> None:
    assert meant("later-production-001") == {"later"}
    assert meant("later-production-001", "off-production-001", "later-production-001") == {"later", "off"}
    assert meant("--set", "abc") == {"held", "beside"}
    assert meant("--template", "other") == {"elsewhere"}
    assert meant("--template", "viss-2020") == {"held", "beside", "later", "off", "recalled"}
    assert meant("--template", "viss-2020", "--caused-by", "3.1.0") == {"held", "beside", "later", "off"}


@pytest.mark.parametrize(
    "arguments, said",
    [
        ((), "write names of decisions, or --set, or --template: one of the three"),
        (("--set", "abc", "--template", "viss-2020"), "one of the three"),
        (("later-production-001", "--caused-by", "3.1.0"), "leave it out beside names"),
        (
            ("none-001", "later-production-001"),
            "there is no UnpublishDecision none-001: kubectl get decision",
        ),
        (("renewed-production-001",), "renewed-production-001 is closed: renewed"),
        (("before-production-001",), "is revoked from 2026-11-20, and that stays"),
        (("--set", "def"), "no open decision of the set def is there"),
        (("--template", "none"), "no open decision of the template none is there"),
        (("Not/a/name",), "is no name"),
        (("--set", "abc", "--at", "soon"), "is not a day of the calendar"),
    ],
    ids=str,
)
def test_what_cannot_be_revoked(arguments: tuple[str, ...], said: str) -> None:
    answer = run(*arguments, "--reason", "r", "--yes", code=1)
    assert said in answer.output


def test_a_reason_that_the_operator_could_not_read_is_refused_before_anything_is_written() -> None:
    assert "reason" in run("--set", "abc", "--reason", "two\nlines", "--yes", code=1).output
    assert "Missing option '--reason'" in run("--set", "abc", code=1).output


def test_who_it_is_about_and_what_comes_of_it_is_shown(golden: Callable[[str, str], None]) -> None:
    answer = run("--template", "viss-2020", "--reason", "The date of 3.1.0 was wrong", "--dry-run")
    golden("revoke", answer.stderr + answer.stdout)
    dated = run("later-production-001", "--reason", "r", "--at", "2026-12-01", "--dry-run", "-o", "yaml")
    assert yaml.safe_load(dated.stdout)["spec"] == {"revoked": {"at": "2026-12-01", "reason": "r"}}


def test_nobody_to_ask_is_not_a_yes() -> None:
    assert "then add --yes" in run("--set", "abc", "--reason", "r", code=1).output


def test_what_is_asked() -> None:
    assert revoke._counted(DECISIONS[:4]) == "4 decisions (1 back on the public route, 3 not unpublished)"
    assert revoke._counted(DECISIONS[:1]) == "1 decision (1 not unpublished)"
