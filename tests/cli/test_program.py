# SPDX-License-Identifier: Apache-2.0
"""The frame: a fast start, the table of commands, global options, exit codes, completion."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from typing_extensions import override

from eservice_operator import __version__
from eservice_operator.cli.policy import Setup, read_channels, read_gateway, read_zone, told_by_environment
from eservice_operator.cli.program import COMMANDS, Program, program
from eservice_operator.cli.session import GLOBAL_OPTIONS, Command, Session
from eservice_operator.runtime.settings import Settings
from tests.cli.starting import HEAVY, HELP, QUICK, cost_of, imported_by

SCRIPT = Path(sys.executable).with_name("kubectl-eservice")
NAMED = [
    ["status"],
    ["explain"],
    ["history"],
    ["verify", "--outcome", "Passed", "--by", "who"],
    ["defer", "--until", "2027-01-01", "--reason", "r", "--approved-by", "a"],
    ["release-brake"],
    ["revoke", "--reason", "r"],
    ["replay"],
]
"""Every command that takes the name of an object, without the name."""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(program, arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        *HELP,
        ["--version"],
        [],
        ["nonsense"],
        ["list", "--sort", "nonsense"],
        ["list", "-A", "-n", "one"],
        ["status"],
        ["explain"],
        ["forecast", "--until", "soon"],
        ["forecast", "--published", "2027-01-01"],
        ["forecast", "--channels", "Pigeon"],
        ["defer", "x", "--until", "soon"],
        ["check"],
        ["check", "-f", "x", "--within", "soon"],
        ["replay"],
        ["__complete", "explain", "--"],
        ["completion", "zsh"],
        ["__complete", ""],
        ["__complete", "list", "--"],
    ],
    ids=" ".join,
)
def test_nothing_heavy_is_imported_to_help_or_to_complain(arguments: list[str]) -> None:
    imported = imported_by(arguments)
    assert "click" in imported
    assert not imported & HEAVY


@pytest.mark.parametrize("arguments", HELP, ids=" ".join)
def test_help_costs_less_than_three_tenths_of_a_second(arguments: list[str]) -> None:
    """One of five, for what the machine's other work changes."""
    assert any(cost_of(arguments).own < QUICK for _ in range(5))


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_of_the_table_is_there_and_takes_the_global_options(name: str) -> None:
    found = program.get_command(click.Context(program), name)
    assert isinstance(found, Command)
    assert found.help, "it says what it does"
    options = {option for param in found.params for option in param.opts}
    assert {option for param in GLOBAL_OPTIONS for option in param.opts} <= options


def test_help_lists_every_command_with_its_line() -> None:
    text = run("--help").output
    for name, entry in COMMANDS.items():
        assert f"  {name} " in text
        assert entry.summary.split()[-1].rstrip(".") in text


def test_without_a_command_it_helps() -> None:
    result = run()
    assert (result.exit_code, result.stdout) == (0, run("--help").output)


def test_version() -> None:
    result = run("--version")
    assert (result.exit_code, result.output) == (0, f"kubectl-eservice {__version__}\n")


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["nonsense"], "No such command 'nonsense'. --help lists them."),
        (["stauts", "x"], "No such command 'stauts'. Did you mean status?"),
        (["realease-brake"], "Did you mean release-brake?"),
        (["list", "--nonsense"], "No such option"),
        (["list", "-o", "xml"], "'xml' is not one of"),
        (["list", "-A", "-n", "one"], "exclude one another"),
        (["-A", "list", "-n", "one"], "exclude one another"),
        (["explain", "one", "-A"], "write -n NAMESPACE instead of -A"),
        (["list", "--time-zone", "Mars/Base"], "there is no time zone 'Mars/Base'"),
        (["explain", "x", "--gateway", "one"], "does not name a Gateway"),
        (["explain", "x", "--channels", "Pigeon"], "names no channels"),
        (["verify", "x", "--by", "y"], "Missing option '--outcome'"),
        (["verify", "x", "--by", "y", "--outcome", "Maybe"], "is not one of"),
        (["verify", "x", "--by", "y", "--outcome", "Passed", "--at", "today"], "is not an instant"),
        (
            ["verify", "x", "--by", "y", "--outcome", "Passed", "--at", "2026-10-12T10:00"],
            "is not an instant",
        ),
        (["defer", "x", "--until", "soon", "--reason", "r", "--approved-by", "a"], "is not a day"),
        (["completion", "tcsh"], "is not one of"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_a_wrong_argument_is_explained_and_ends_with_1(arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 1
    assert said in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("command", NAMED, ids=lambda command: str(command[0]))
@pytest.mark.parametrize(
    "name, said",
    [
        ("-A", "'-A' is no name"),
        ("--kubeconfig=/etc/passwd", "options go before --"),
        ("-", "is no name"),
        ("", "'' is no name"),
        ("esvc/address-declaration", "write the name alone: address-declaration"),
        ("a/../b", "write the name alone: b"),
        ("a/..", "is no name"),
        ("a,b", "is no name"),
        ("a b", "is no name"),
        ("A", "is no name"),
        ("a\n", "is no name"),
        ("a" * 254, "is no name"),
    ],
)
def test_a_name_that_kubectl_would_take_for_something_else_is_refused_before_it_runs(
    command: list[str], name: str, said: str, kubectl: Path
) -> None:
    result = run(*command, "--", name)
    assert result.exit_code == 1
    assert said in " ".join(result.output.split())
    assert not kubectl.exists()


@pytest.mark.parametrize("namespace", ["", "-A", "a/b", "a.b", "A", "a" * 64])
@pytest.mark.parametrize("command", [*NAMED, ["list"], ["forecast"]], ids=lambda command: str(command[0]))
def test_a_namespace_that_is_none_is_refused_before_kubectl_runs(
    command: list[str], namespace: str, kubectl: Path
) -> None:
    for arguments in ([*command, "-n", namespace], ["-n", namespace, *command]):
        named = [*arguments, "x"] if command in NAMED else arguments
        result = run(*named)
        assert result.exit_code == 1
        assert f"{namespace!r} is no namespace" in " ".join(result.output.split())
    assert not kubectl.exists()


def test_a_namespace_for_routes_that_is_none_is_refused(kubectl: Path) -> None:
    assert "'' is no namespace" in run("explain", "x", "--routes-namespace", "").output
    assert not kubectl.exists()


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is there once the kubectl that KUBECTL names was run."""
    ran, program = tmp_path / "ran", tmp_path / "kubectl"
    program.write_text(f"#!/bin/sh\ntouch {ran}\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("KUBECTL", str(program))
    run("list")
    assert ran.exists()
    ran.unlink()
    return ran


def test_global_options_hold_wherever_they_stand() -> None:
    for arguments in (["-n", "one", "probe"], ["probe", "-n", "one"], ["-n", "two", "probe", "-n", "one"]):
        assert _probe(arguments).namespace == "one"
    session = _probe(["--context", "c", "--no-color", "probe", "--as", "me", "-o", "json"])
    assert session.connection == {"context": "c", "as": "me"}
    assert session.no_color
    assert session.machine


def _probe(arguments: list[str]) -> Session:
    """What a command is given."""
    seen: list[Session] = []

    @click.command(cls=Command)
    @click.pass_obj
    def probe(session: Session) -> None:
        seen.append(session)

    class Probing(Program):
        """Knows one command."""

        @override
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            return probe

    result = CliRunner().invoke(Probing(name="group", params=[*GLOBAL_OPTIONS]), arguments)
    assert result.exit_code == 0, result.output
    return seen[0]


def test_defaults_are_those_of_the_operator() -> None:
    ours, theirs = Setup(), Settings()
    assert ours.time_zone == theirs.time_zone
    assert ours.holiday_country == theirs.holiday_country
    assert "/".join(ours.gateway) == str(theirs.gateway)
    assert ours.routes_namespace == theirs.routes_namespace


@pytest.mark.parametrize(
    "read, text, value",
    [
        (read_gateway, "infra/public/https", ("infra", "public", "https")),
        (read_channels, "seen", None),
        (read_channels, "none", ()),
        (read_channels, "Email,CloudEvents=hub.example", (("Email", ""), ("CloudEvents", "hub.example"))),
    ],
)
def test_the_operators_setup_is_read(read: Callable[[str], object], text: str, value: object) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    "environment, channels",
    [
        ({}, "seen"),
        ({"ESERVICE_SMTP_SERVER": "mail.example:587"}, "Email"),
        ({"ESERVICE_EVENTS_SINK": "https://hub.example:8443/in"}, "CloudEvents=hub.example"),
    ],
)
def test_channels_are_those_of_the_operators_variables(
    environment: dict[str, str], channels: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert told_by_environment() == channels


@pytest.mark.parametrize("text", ["", "../etc/passwd", "Nowhere"])
def test_a_zone_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        read_zone(text)


@pytest.mark.parametrize(
    "terminal, no_color, variable, colored",
    [
        (True, False, "", True),
        (False, False, "", False),
        (True, True, "", False),
        (True, False, "1", False),
    ],
)
def test_colors_appear_on_a_terminal_only_and_only_where_they_are_wanted(
    terminal: bool, no_color: bool, variable: str, colored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    monkeypatch.setenv("NO_COLOR", variable)
    session = Session(no_color=no_color, width=80)
    assert session.color is colored
    assert ("\x1b[" in session.paint("text", fg="red")) is colored


def test_without_kubectl_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECTL", "/nowhere/kubectl")
    result = run("list")
    assert result.exit_code == 1
    assert "install kubectl" in result.output


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = f"{SCRIPT} completion bash | head -1"
    done = subprocess.run(["bash", "-c", command], check=True, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""


def _bash(script: str) -> str:
    environment = {"PATH": f"{SCRIPT.parent}:{os.defpath}", "HOME": "/nonexistent"}
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
    )
    return done.stdout


@pytest.mark.parametrize(
    "words, completed",
    [
        (["sta"], {"status"}),
        (["re"], {"release-brake", "replay", "requests", "revoke"}),
        (["list", "--so"], {"--sort"}),
        (["list", "--sort", "u"], {"urgency", "unpublish-at"}),
        (["list", "--phase", "Un"], {"Unpublished"}),
        (["completion", "f"], {"fish"}),
    ],
    ids=lambda value: " ".join(sorted(value)),
)
def test_completion_in_a_real_bash(words: list[str], completed: set[str]) -> None:
    typed = " ".join(f'"{word}"' for word in ["kubectl-eservice", *words])
    script = (
        "source <(kubectl-eservice completion bash);"
        f"COMP_WORDS=({typed}); COMP_CWORD={len(words)};"
        '_kubectl_eservice_completion kubectl-eservice; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    assert set(_bash(script).split()) == completed


def test_completion_as_kubectl_asks_for_it(tmp_path: Path) -> None:
    helper = tmp_path / "kubectl_complete-eservice"
    helper.write_text(_bash("kubectl-eservice completion kubectl"))
    helper.chmod(0o755)
    *lines, directive = _bash(f"{helper} list --sort m").splitlines()
    assert (lines, directive) == (["migrate-by"], ":4")
    *lines, directive = _bash(f'{helper} ""').splitlines()
    assert [line.partition("\t")[0] for line in lines] == list(COMMANDS)


@pytest.mark.parametrize("shell, beginning", [("zsh", "#compdef kubectl-eservice"), ("fish", "function")])
def test_completion_of_other_shells(shell: str, beginning: str) -> None:
    assert run("completion", shell).output.lstrip().startswith(beginning)
