# SPDX-License-Identifier: Apache-2.0
"""Manifests checked offline, from files to findings: the answer of ``check``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from eservice_operator.api.kinds import BY_KIND
from eservice_operator.api.names import API_VERSION, GROUP
from eservice_operator.api.parse import InvalidObject, parse
from eservice_operator.api.template import EServiceTemplate
from eservice_operator.cli.check_access import KINDS as ACCESS_KINDS
from eservice_operator.cli.check_access import access_files
from eservice_operator.cli.check_judging import Court, Judged, Severity, Span, as_public
from eservice_operator.cli.check_policy import policy_findings
from eservice_operator.cli.check_reading import Document, documents_of, files_of
from eservice_operator.cli.check_rules import read_whole
from eservice_operator.cli.check_values import UnreadableError
from eservice_operator.cli.check_view import (
    GRAVEST_FIRST,
    Count,
    Finding,
    document_of,
    github,
    line,
    summary,
)
from eservice_operator.cli.output import as_json
from eservice_operator.cli.policy import Setup
from eservice_operator.cli.session import Session
from eservice_operator.cli.world import policy_of
from eservice_operator.cluster.indexes import INDEXES
from eservice_operator.cluster.store import Store, key_of
from eservice_operator.core.access.terms import Times
from eservice_operator.core.dates import start_of_day
from eservice_operator.core.keys import ObjectKey

CODES: Final = {
    Severity.ERROR: 1,
    Severity.UNPUBLISH: 3,
    Severity.DUTY: 2,
    Severity.WARNING: 0,
    Severity.NOTE: 0,
}
STRICT: Final = 1
"""The exit code of a warning where those count."""
EMPTY: Final = 1
"""The exit code where nothing was there to check: a pipeline that checks the wrong folder is not green."""
MOST_OF_ONE: Final = 100
"""Findings about the structure of one document."""


@dataclass(frozen=True)
class Asked:
    """What is to be checked, for which days (the first and the last), and how it is shown."""

    paths: tuple[Path, ...]
    days: tuple[date, date]
    setup: Setup
    shown: str
    strict: bool = False
    """Whether warnings are errors."""
    allow_empty: bool = False
    """Whether it is no error that nothing was there to check."""


def check(session: Session, asked: Asked) -> int:
    """Check the files and print the findings; the exit code.

    Raises:
        ClickException: a path is not there.
    """
    span, shown = Span(*asked.days), asked.shown
    checked = Check(session.namespace or "default")
    checked.read(asked.paths)
    checked.judge(span, asked.setup)
    findings = sorted(
        set(checked.findings), key=lambda one: (one.file, one.line, GRAVEST_FIRST.index(one.severity), one)
    )
    code = worst(findings, strict=asked.strict)
    if not checked.ours and not findings:
        word, hint = ("warning", "") if asked.allow_empty else ("error", "; --allow-empty lets that pass")
        session.note(f"{word}: no e-service objects found in {', '.join(map(str, asked.paths))}{hint}")
        code = code or (0 if asked.allow_empty else EMPTY)
    count = Count(checked.ours, checked.others)
    if shown == "json":
        session.say(as_json(document_of(findings, count, span, code)))
    else:
        for finding in findings:
            session.say(github(finding) if shown == "github" else line(session, finding))
        session.note(summary(findings, count, span))
    return code


def worst(findings: list[Finding], *, strict: bool = False) -> int:
    """The exit code of the gravest finding: invalid before unpublished before a duty."""
    found = {finding.severity for finding in findings}
    if strict and Severity.WARNING in found:
        return STRICT
    return next((CODES[severity] for severity in GRAVEST_FIRST if severity in found), 0)


class Check:
    """Documents on their way from files to findings."""

    def __init__(self, namespace: str) -> None:
        self.findings: list[Finding] = []
        self.services: dict[ObjectKey, Document] = {}
        self.access: dict[ObjectKey, Document] = {}
        self.templates: list[tuple[Document, EServiceTemplate]] = []
        self.ours = self.others = 0
        self._namespace = namespace
        self._store = Store(INDEXES)

    def read(self, paths: tuple[Path, ...]) -> None:
        """Read every file; what cannot be read, or would be refused, is found."""
        for file in files_of(paths):
            try:
                documents = documents_of(file)
            except UnreadableError as error:
                self._find(str(file), error.line, str(error))
                continue
            for document in documents:
                if str(document.body.get("apiVersion", "")).partition("/")[0] == GROUP:
                    self.ours += 1
                    self._take(document)
                else:
                    self.others += 1

    def _find(self, file: str, at: int, sentence: str, what: str = "") -> None:
        self.findings.append(Finding(file, at, Severity.ERROR, what, "", sentence))

    def _take(self, document: Document) -> None:
        """Keep a document that can be judged; say what is wrong with any other."""
        body, file = document.body, str(document.file)
        kind = body.get("kind")
        if kind not in BY_KIND or body["apiVersion"] != API_VERSION:
            text = f"there is no {kind} in {body['apiVersion']}: write {API_VERSION} and one of its kinds"
            self._find(file, document.line_of("kind"), text)
            return
        what = f"{kind} {_name(body)}"
        read, wrong = read_whole(kind, body)
        for path, sentence in wrong[:MOST_OF_ONE]:
            said = f"{path}: {sentence}" if path else sentence
            self._find(file, document.line_of(path), said, what)
        kept = not isinstance(read, InvalidObject) and _name(body) and self._kept(document, what)
        if kept and isinstance(read, EServiceTemplate):
            self.templates.append((document, read))

    def _kept(self, document: Document, what: str) -> bool:
        """Keep the document, unless the same object has been read already."""
        body = as_public(document, self.ours, self._namespace)
        key = key_of(body)
        if self._store.get(*key) is not None:
            self._find(str(document.file), document.line, "is there twice: remove one", what)
            return False
        self._store.upsert(body)
        if key.kind == "EService":
            self.services[key] = document
        if key.kind in ACCESS_KINDS:
            self.access[key] = document
        return True

    def judge(self, span: Span, setup: Setup) -> None:
        """Judge every EService that could be read, the policy of every template, and who may call what."""
        policy = policy_of(setup, start_of_day(span.first, setup.time_zone), self._store)
        court = Court(self._store, policy, span)
        for key, document in self.services.items():
            for said in court.judge(key):
                self._say(document, str(key), said)
        for document, template in self.templates:
            for said in policy_findings(template, span.first):
                what = f"{document.body['kind']} {template.metadata.name}"
                self._say(document, what, said._replace(sentence=f"{said.path}: {said.sentence}"))
        self._judge_access(Times(start_of_day(span.last, setup.time_zone), setup.time_zone))

    def _judge_access(self, times: Times) -> None:
        """Judge what speaks of web services, as it stands on that day."""
        read = {key: parse(key.kind, self._store.get(*key) or {}) for key in self.access}
        models = {key: one for key, one in read.items() if not isinstance(one, InvalidObject)}
        files = access_files(times, models.values())
        for key, model in models.items():
            for said in files.judge(model):
                self._say(self.access[key], str(key), said)

    def _say(self, document: Document, what: str, said: Judged) -> None:
        line = document.line_of(said.path)
        self.findings.append(Finding(str(document.file), line, said.severity, what, said.rule, said.sentence))


def _name(body: dict[str, Any]) -> str:
    metadata = body.get("metadata")
    return str(metadata.get("name") or "") if isinstance(metadata, dict) else ""
