# SPDX-License-Identifier: Apache-2.0
"""The commands, as a table: a command's module is imported only when that command is run or explained."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final, NamedTuple

import click
from click.shell_completion import CompletionItem
from typing_extensions import override

from eservice_operator import __version__
from eservice_operator.cli.kubectl import KubectlError
from eservice_operator.cli.session import GLOBAL_OPTIONS, Session
from eservice_operator.cli.text import clean

PROGRAM: Final = "kubectl eservice"
EXECUTABLE: Final = "kubectl-eservice"
COMPLETE_VARIABLE: Final = "_KUBECTL_ESERVICE_COMPLETE"
FAILED: Final = 1
INTERRUPTED: Final = 130


class Entry(NamedTuple):
    """A command: its module, the attribute in it, and the line that ``--help`` shows."""

    module: str
    attribute: str
    summary: str


COMMANDS: Final[dict[str, Entry]] = {
    "list": Entry("listing", "command", "E-services with their phase, dates and what comes next."),
    "status": Entry("status", "command", "Everything about one e-service on one screen."),
    "explain": Entry("explain", "command", "What is missing, who owes it, by which rule, and what to run."),
    "forecast": Entry("forecast", "command", "What will happen, when and why, by the operator's own rules."),
    "history": Entry("history", "command", "What happened to one e-service, in order."),
    "requests": Entry("requests", "command", "Who asks a holder for its web services, and the answer (R3)."),
    "impact": Entry("impact", "command", "What the end of an access would close, beforehand (R3, R9, R10)."),
    "verify": Entry("verify", "command", "Record that a release was verified in production (R6)."),
    "defer": Entry("defer", "command", "Defer the unpublication of one e-service (R8)."),
    "release-brake": Entry("release_brake", "command", "Let a set of held unpublications take effect (R8)."),
    "revoke": Entry("revoke", "command", "Take decisions to unpublish back, one or a whole set (R8)."),
    "check": Entry("check", "command", "Check manifests offline, for pipelines."),
    "replay": Entry("replay", "command", "Compute a recorded decision again from its inputs."),
    "completion": Entry("completion", "command", "Print the shell's completion script."),
}
"""In the order of ``--help``. To add a command, add its line; its ``command`` is a `session.Command`."""

HIDDEN: Final[dict[str, Entry]] = {
    "__complete": Entry("completion", "complete", "Completions as kubectl asks its plugins for them."),
}


class Program(click.Group):
    """The group: commands by name, exit codes 0 and 1, and no traceback for what a person got wrong."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name) or HIDDEN.get(cmd_name)
        if entry is None:
            return None
        found: click.Command = getattr(
            import_module(f"eservice_operator.cli.{entry.module}"), entry.attribute
        )
        return found

    @override
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; of a name that is mistyped it says which one may be meant."""
        if args and not ctx.resilient_parsing and not args[0].startswith("-"):
            self._refuse_a_slip(ctx, args[0])
        return super().resolve_command(ctx, args)

    def _refuse_a_slip(self, ctx: click.Context, name: str) -> None:
        if self.get_command(ctx, name) is not None:
            return
        from difflib import get_close_matches  # noqa: PLC0415 - only for a slip

        near = get_close_matches(name, COMMANDS, n=1)
        hint = f" Did you mean {near[0]}?" if near else " --help lists them."
        ctx.fail(f"No such command {name!r}.{hint}")

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table's own lines: nothing is imported to show them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    @override
    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The table's names and options of the group: nothing is imported for them either."""
        names = [
            CompletionItem(name, help=entry.summary)
            for name, entry in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return names + click.Command.shell_complete(self, ctx, incomplete)

    @override
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As kubectl does, ``-A`` before the command holds for the command."""
        ctx.ensure_object(Session)
        return super().parse_args(ctx, args)

    @override
    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run, and end with 0, 1 or what the command returned; a wrong argument is 1, as any mistake."""
        try:
            answer = super().main(
                args, prog_name or PROGRAM, complete_var or COMPLETE_VARIABLE, standalone_mode=False, **extra
            )
        except click.exceptions.NoArgsIsHelpError as asked:
            click.echo(asked.format_message())
            answer = 0
        except click.UsageError as error:
            error.show()
            answer = FAILED
        except click.ClickException as error:
            said = isinstance(error, KubectlError)
            text = clean(error.format_message(), keep="\n")
            click.echo(text if said else f"Error: {text}", err=True, color=False)
            answer = FAILED
        except click.Abort:
            click.echo("stopped", err=True)
            answer = INTERRUPTED
        except OSError as error:
            if error.errno != errno.EPIPE:
                raise
            _forget_output()
            answer = FAILED
        sys.exit(answer if isinstance(answer, int) else 0)


def _forget_output() -> None:
    """Somebody such as ``head`` has read enough: nothing more is written, not at the very end either."""
    sys.stdout = sys.stderr = open("/dev/null", "w", encoding="utf-8")  # noqa: PTH123, SIM115


@click.group(
    cls=Program,
    params=[*GLOBAL_OPTIONS],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=(
        "Every command reads and writes through the kubectl on PATH (or the one that KUBECTL names), with its"
        " contexts, credentials and rights. Exit codes: 0 done, 1 error; check has 2 and 3 besides."
    ),
)
@click.version_option(__version__, prog_name=EXECUTABLE, message="%(prog)s %(version)s")
def program() -> None:
    """What happens to e-services, why, and what to do about it."""
