# SPDX-License-Identifier: Apache-2.0
"""Shell completion: for ``kubectl-eservice`` itself, and for kubectl, which asks its plugins."""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import CompletionItem, ShellComplete, get_completion_class

from eservice_operator.cli.kubectl import Query
from eservice_operator.cli.program import COMPLETE_VARIABLE, EXECUTABLE, program
from eservice_operator.cli.session import Command, Session
from eservice_operator.cli.text import clean

SHELLS: Final = ("bash", "zsh", "fish")
NO_FILES: Final = 4
"""What kubectl reads after a colon on the last line: complete nothing but these."""
FOR_KUBECTL: Final = f"""#!/bin/sh
# kubectl runs this for: kubectl eservice <TAB>. Save it as kubectl_complete-eservice on the PATH, executable.
exec {EXECUTABLE} __complete "$@"
"""


@click.command(cls=Command)
@click.argument("shell", type=click.Choice([*SHELLS, "kubectl"]))
@click.pass_obj
def command(session: Session, shell: str) -> None:
    """Print the completion script of a shell, or the one that kubectl asks.

    \b
    For kubectl-eservice:         source <(kubectl-eservice completion bash)
    For kubectl eservice <TAB>:   kubectl-eservice completion kubectl > ~/.local/bin/kubectl_complete-eservice
                                  chmod +x ~/.local/bin/kubectl_complete-eservice
    """  # noqa: D301 - click reads the backspace
    if shell == "kubectl":
        session.say(FOR_KUBECTL.rstrip())
        return
    found = get_completion_class(shell)
    if found is None:
        raise click.ClickException(f"there is no completion for {shell}")
    session.say(found(program, {}, EXECUTABLE, COMPLETE_VARIABLE).source())


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True}, add_help_option=False
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def complete(words: tuple[str, ...]) -> None:
    """Answer completions as kubectl expects them: a line each, then what to do with them."""
    typed = words or ("",)
    completion = ShellComplete(program, {}, EXECUTABLE, COMPLETE_VARIABLE)
    for item in completion.get_completions(list(typed[:-1]), typed[-1]):
        click.echo(f"{item.value}\t{clean(item.help)}" if item.help else item.value)
    click.echo(f":{NO_FILES}")


def eservice_names(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of EServices in the namespace; none where they cannot be listed: the line is being typed."""
    return _names(ctx.ensure_object(Session), "eservices.eservice.dev", incomplete)


def template_names(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of EServiceTemplates."""
    return _names(ctx.ensure_object(Session), "eservicetemplates.eservice.dev", incomplete)


def decision_names(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of UnpublishDecisions."""
    return _names(ctx.ensure_object(Session), "unpublishdecisions.eservice.dev", incomplete)


def _names(session: Session, resource: str, incomplete: str) -> list[CompletionItem]:
    try:
        (listing,) = session.kubectl.get(Query((resource,), session.namespace))
    except click.ClickException:
        return []
    names = [str(item["metadata"]["name"]) for item in listing.items]
    return [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete)]
