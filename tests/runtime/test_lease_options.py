# SPDX-License-Identifier: Apache-2.0
"""The settings of the election: where its lease is, and which durations leave room for one another."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from eservice_operator.cluster.lease import Terms
from eservice_operator.runtime import lease_options
from eservice_operator.runtime.commandline import command_line
from eservice_operator.runtime.lease_options import contradictions, namespace_of, parse_lease_name, terms_of
from eservice_operator.runtime.settings import Settings


def test_the_terms_are_those_of_client_go() -> None:
    assert terms_of(Settings()) == Terms(15, 10, 2) == Terms()
    assert list(contradictions(Settings())) == []


@pytest.mark.parametrize(
    "durations, fits",
    [
        ((15, 10, 5), True),
        ((10.1, 10, 5), True),
        ((10, 10, 2), False),
        ((15, 10, 5.1), False),
        ((9, 10, 2), False),
    ],
)
def test_durations_leave_room_for_one_another(durations: tuple[float, float, float], fits: bool) -> None:
    lease, deadline, retry = (timedelta(seconds=seconds) for seconds in durations)
    given = Settings(lease_duration=lease, renew_deadline=deadline, retry_period=retry)
    assert (list(contradictions(given)) == []) is fits


def test_others_are_refused_on_the_command_line() -> None:
    result = CliRunner().invoke(command_line(lambda _: 0), ["run", "--renew-deadline=15s"], env={})
    assert result.exit_code == 2
    assert "--lease-duration has to be longer than --renew-deadline" in result.output


@pytest.mark.parametrize("name", ["eservice-operator", "operators.agency.example", "1", "a" * 63 + ".b"])
def test_a_lease_may_have_any_name_that_an_object_may_have(name: str) -> None:
    assert parse_lease_name(name) == name


@pytest.mark.parametrize("name", ["", "Operator", "a..b", ".a", "a_b", "a/b", "a" * 64, "a." * 126 + "ab"])
def test_others_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not the name of a Lease; write lower-case letters"):
        parse_lease_name(name)


def test_the_lease_is_in_the_namespace_of_the_pod(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mounted = tmp_path / "namespace"
    monkeypatch.setattr(lease_options, "POD_NAMESPACE", mounted)
    assert namespace_of(Settings()) == "eservice-system", "outside of a Pod"
    mounted.write_text("agency-operators\n")
    assert namespace_of(Settings()) == "agency-operators"
    assert namespace_of(Settings(lease_namespace="elsewhere")) == "elsewhere"
