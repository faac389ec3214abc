# SPDX-License-Identifier: Apache-2.0
"""The way to the cluster: the person's own kubectl, with its contexts, credentials, plugins and rights."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import click

from eservice_operator.cli.text import clean
from eservice_operator.cluster import nesting

FORBIDDEN: Final = re.compile(
    r'^Error from server \(Forbidden\): (?P<resource>[a-z0-9.-]+)(?: "(?P<name>[^"]*)")? is forbidden: '
)
NOT_SERVED: Final = re.compile(r'^error: the server doesn\'t have a resource type "(?P<resource>[^"]+)"')
NOT_FOUND: Final = "Error from server (NotFound)"
ELSEWHERE: Final = (
    "Is this the right cluster (kubectl config current-context), and are the CRDs of eservice.dev installed?"
)
EVERYWHERE: Final = "With the rights for one namespace write: -n NAMESPACE"
LOGGED: Final = re.compile(r"^[IWEF][0-9]{4} [0-9:.]+ +[0-9]+ ")
"""A line of kubectl's own log, which it writes beside the sentence meant for people."""
ALL: Final = "--all-namespaces"


class KubectlError(click.ClickException):
    """kubectl ended with an error; it is shown as kubectl said it."""

    @property
    def not_found(self) -> bool:
        """Whether the object is not there."""
        return self.message.startswith(NOT_FOUND)

    @property
    def forbidden(self) -> bool:
        """Whether the person may not do it."""
        return FORBIDDEN.match(self.message) is not None


class Refusal(NamedTuple):
    """A kind that was not listed: the person may not, or the API server does not have it."""

    resource: str
    """Plural and group, as asked for."""
    where: str
    """The namespace that was asked for; empty for all of them and for a cluster-scoped kind."""
    said: str
    """What kubectl said."""

    def error(self, hint: str = "") -> KubectlError:
        """What to raise where nothing can be done without it; ``hint`` is for somebody who may not."""
        more = ELSEWHERE if NOT_SERVED.match(self.said) else hint
        return KubectlError("\n".join(filter(None, (self.said, more))))


@dataclass(frozen=True)
class Listing:
    """What one `get` found, and what it was refused."""

    items: tuple[dict[str, Any], ...]
    refused: tuple[Refusal, ...] = ()
    missing: str = ""
    """What kubectl said where the one that was named is not there."""

    def only(self) -> dict[str, Any]:
        """The one object that was asked for by name.

        Raises:
            KubectlError: it is not there, or may not be read.
        """
        if self.missing:
            raise KubectlError(self.missing)
        if not self.items:
            raise self.refused[0].error()
        return self.items[0]


class Query(NamedTuple):
    """Kinds to get at once, by plural and group."""

    resources: tuple[str, ...]
    namespace: str | None = None
    """One namespace; empty for all of them; None for that of the context."""
    options: tuple[str, ...] = ()
    name: str = ""
    """Only the object of this name."""

    @property
    def arguments(self) -> tuple[str, ...]:
        """How to ask kubectl."""
        named = (self.name,) if self.name else ()
        return ("get", ",".join(self.resources), *named, *_place(self.namespace), *self.options, "-o", "json")


class Done(NamedTuple):
    """A kubectl that has ended."""

    code: int
    out: str
    err: str


class Kubectl:
    """Runs kubectl; ``flags`` are handed on with each call."""

    def __init__(self, program: str = "kubectl", flags: Sequence[str] = ()) -> None:
        self._program = program
        self._flags = tuple(flags)

    def get(self, *queries: Query) -> list[Listing]:
        """Every query at the same time; kinds that may not be listed are named in its `Listing`.

        Raises:
            KubectlError: for any other error; nothing is answered in part.
        """
        return self.ask(*queries)()

    def ask(self, *queries: Query) -> Callable[[], list[Listing]]:
        """Begin a `get`; what is answered waits for its end, and raises as that does."""
        ended = self._start([query.arguments for query in queries])
        return lambda: [_listing(query, done) for query, done in zip(queries, ended(), strict=True)]

    def run(self, *arguments: str, given: str | None = None) -> str:
        """What kubectl printed, with ``given`` as its standard input.

        Raises:
            KubectlError: it ended with an error.
        """
        (done,) = self._start([arguments], given)()
        if done.code != 0:
            raise KubectlError("\n".join(_complaints(done.err)) or f"kubectl ended with {done.code}")
        if done.err.strip():
            warning = clean(done.err.strip(), keep="\n")  # of the API server
            click.echo(warning, err=True, color=False)
        return done.out

    def _start(self, commands: Iterable[Sequence[str]], given: str | None = None) -> Callable[[], list[Done]]:
        """Start all of them at the same time; what is answered waits, and has them in their order."""
        program = shutil.which(self._program)
        if program is None:
            raise click.ClickException(
                f"there is no {self._program}: install kubectl, or name it in the variable KUBECTL"
            )
        running = [_Running(program, (*command, *self._flags), given) for command in commands]
        return lambda: [one.end() for one in running]


class _Running:
    """One process. Its output goes to files, so that none of several waits for us to read."""

    def __init__(self, program: str, arguments: Sequence[str], given: str | None) -> None:
        self._out = tempfile.TemporaryFile()  # noqa: SIM115 - closed by end()
        self._err = tempfile.TemporaryFile()  # noqa: SIM115 - closed by end()
        self._given = None if given is None else given.encode()
        self._process = subprocess.Popen(  # noqa: S603 - the person's kubectl, without a shell
            [program, *arguments],
            stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
            stdout=self._out,
            stderr=self._err,
        )

    def end(self) -> Done:
        self._process.communicate(self._given)
        texts = []
        for file in (self._out, self._err):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
            file.close()
        return Done(self._process.returncode, *texts)


def _place(namespace: str | None) -> tuple[str, ...]:
    if namespace is None:
        return ()
    return (f"--namespace={namespace}",) if namespace else (ALL,)


def _complaints(err: str) -> list[str]:
    """What kubectl said to people; its log only where it said nothing else."""
    lines = [line for line in err.splitlines() if line.strip()]
    return [line for line in lines if LOGGED.match(line) is None] or list(dict.fromkeys(lines))


def _listing(query: Query, done: Done) -> Listing:
    """What was listed; anything but a refusal of a kind is an error of the whole."""
    if query.name and done.err.startswith(NOT_FOUND):
        return Listing((), missing=done.err.strip())
    refused = []
    complaints = _complaints(done.err)
    for line in complaints:
        match = FORBIDDEN.match(line)
        if match is None and len(query.resources) == 1:  # of several kinds kubectl lists none then
            match = NOT_SERVED.match(line)
        if match is not None:
            refused.append(Refusal(match["resource"], query.namespace or "", line))
        elif not line.startswith(("Warning:", "No resources found")) and done.code != 0:
            hints = [ELSEWHERE] if NOT_SERVED.match(line) else []
            raise KubectlError("\n".join([*complaints, *hints]))
    if done.code != 0 and not refused:
        raise KubectlError("\n".join(complaints) or f"kubectl ended with {done.code}")
    answer = nesting.read(done.out) if done.out.strip() else {"items": []}
    return Listing(tuple(answer.get("items", [answer])), tuple(refused))
