# SPDX-License-Identifier: Apache-2.0
"""What every command shares: the global options, the way to the cluster, and where output goes."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource
from typing_extensions import override

from eservice_operator.cli.naming import read_namespace
from eservice_operator.cli.text import clean

if TYPE_CHECKING:
    from eservice_operator.cli.kubectl import Kubectl

FORMATS: Final = ("table", "wide", "json", "yaml")
UNLIMITED: Final = 10_000
"""Columns where nobody reads on a terminal: nothing is cut there."""


@dataclass
class Session:
    """One run of the command line."""

    namespace: str | None = None
    """What ``-n`` names; None: the namespace of the context."""
    all_namespaces: bool = False
    connection: dict[str, str] = field(default_factory=dict)
    """Flags that are handed to kubectl as they are, by their names."""
    output: str | None = None
    """What ``-o`` asks for; None: a table, or the few words of a writing command."""
    no_color: bool = False
    width: int | None = None
    """Columns of the terminal; None: ask the terminal."""

    @cached_property
    def kubectl(self) -> Kubectl:
        """The way to the cluster."""
        from eservice_operator.cli.kubectl import Kubectl  # noqa: PLC0415 - not needed for --help

        flags = tuple(f"--{name}={value}" for name, value in self.connection.items())
        return Kubectl(os.environ.get("KUBECTL") or "kubectl", flags)

    @property
    def format(self) -> str:
        """The output's format: table unless another was asked for."""
        return self.output or "table"

    @property
    def machine(self) -> bool:
        """Whether a program reads the output."""
        return self.output in {"json", "yaml"}

    @cached_property
    def color(self) -> bool:
        """Whether to color: on a terminal, unless told otherwise (https://no-color.org)."""
        return not self.no_color and not os.environ.get("NO_COLOR") and sys.stdout.isatty()

    @cached_property
    def columns(self) -> int:
        """How wide the output may be."""
        if self.width is not None:
            return self.width
        return shutil.get_terminal_size().columns if sys.stdout.isatty() else UNLIMITED

    @property
    def prose(self) -> int:
        """How wide paragraphs are: 100 columns are enough to read."""
        return max(40, min(self.columns, 100))

    @property
    def interactive(self) -> bool:
        """Whether there is a person to ask."""
        return sys.stdin.isatty()

    def paint(self, text: str, **style: Any) -> str:
        """The text in color, where there is any."""
        return click.style(text, **style) if self.color and style else text

    def say(self, text: str = "") -> None:
        """A line of output, which has been cleaned by whoever made it."""
        click.echo(text, color=self.color)

    def note(self, text: object) -> None:
        """A line beside the output, for the person: never in what a program reads."""
        click.echo(clean(text), err=True, color=False)


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Options hold wherever they stand: one at the command goes before one at the group."""
    name = param.name or ""
    if ctx.get_parameter_source(name) in {ParameterSource.DEFAULT, None}:
        return value
    session = ctx.ensure_object(Session)
    if name == "namespace":
        value = read_namespace(value)
    if name in PASSED_ON:
        session.connection[name.replace("_", "-")] = value
    else:
        setattr(session, name, value)
    return value


def _option(*names: str, **attributes: Any) -> click.Option:
    return click.Option(names, callback=_remember, expose_value=False, **attributes)


PASSED_ON: Final = ("kubeconfig", "context", "cluster", "user", "as", "as_group", "request_timeout")
GLOBAL_OPTIONS: Final = (
    _option("-n", "--namespace", metavar="NAME", help="The namespace; without it that of the context."),
    _option("-A", "--all-namespaces", is_flag=True, help="All namespaces."),
    _option("--context", metavar="NAME", help="A context of the kubeconfig."),
    _option("--kubeconfig", metavar="PATH", help="Another kubeconfig."),
    _option("--cluster", metavar="NAME", hidden=True),
    _option("--user", metavar="NAME", hidden=True),
    _option("--as", "as", metavar="NAME", hidden=True),
    _option("--as-group", "as_group", metavar="NAME", hidden=True),
    _option("--request-timeout", metavar="DURATION", hidden=True),
    _option("-o", "--output", type=click.Choice(FORMATS), help="How to show it."),
    _option("--no-color", is_flag=True, help="No colors (as with NO_COLOR set)."),
)


class Command(click.Command):
    """A command that takes the global options as well, and is given the `Session` by ``click.pass_obj``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        taken = {name for param in self.params for name in param.opts}
        self.params += [option for option in GLOBAL_OPTIONS if not taken & set(option.opts)]

    @override
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        session = ctx.ensure_object(Session)
        args = ["--dry-run" if word == "--dry-run=client" else word for word in args]  # as kubectl has it
        rest = super().parse_args(ctx, args)
        if not session.all_namespaces or ctx.resilient_parsing:
            return rest
        if session.namespace is not None:
            raise click.UsageError("-n and -A exclude one another: write one of them", ctx)
        if any(param.name == "name" and param.required for param in self.params):
            raise click.UsageError("one e-service is in one namespace: write -n NAMESPACE instead of -A", ctx)
        return rest
