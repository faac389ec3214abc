# SPDX-License-Identifier: Apache-2.0
"""Edited EServiceTemplates in files, for trying them out before anybody applies them (``forecast -f``).

They are read as ``check`` reads them. Of an edition only the spec counts; what the operator has recorded,
such as publication dates that took effect, stays that of the cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from eservice_operator.api.names import API_VERSION
from eservice_operator.api.template import EServiceTemplate, EServiceTemplateSpec, TemplateVersion
from eservice_operator.cli.check_reading import Document, documents_of, files_of
from eservice_operator.cli.check_rules import read_whole
from eservice_operator.cli.check_values import UnreadableError
from eservice_operator.core.templating import recorded_dates

KIND: Final = EServiceTemplate.__name__
MOST_SAID: Final = 20
"""Faults of files that are told at once."""
NOTHING: Final = "nothing"
LAST: Final = str(2**62)
"""A resourceVersion after every other."""
Versions = Mapping[str, TemplateVersion]


@dataclass(frozen=True)
class Editions:
    """The templates of some files, by name, and how many other documents were passed over."""

    templates: Mapping[str, EServiceTemplate]
    others: int


def read_editions(paths: Iterable[Path]) -> Editions:
    """Every EServiceTemplate of these files and folders.

    Raises:
        ClickException: a file cannot be read, the API server would refuse a template, or there is none.
    """
    templates: dict[str, EServiceTemplate] = {}
    faults: list[str] = []
    others = 0
    files = files_of(paths)
    for file in files:
        for document in _documents(file, faults):
            if (document.body.get("apiVersion"), document.body.get("kind")) != (API_VERSION, KIND):
                others += 1
                continue
            template = _template(document, faults)
            if template is not None and template.metadata.name in templates:
                faults.append(f"{file}:{document.line}: {KIND} {template.metadata.name} is there twice")
            elif template is not None:
                templates[template.metadata.name] = template
    if faults:
        raise click.ClickException("\n".join(faults[:MOST_SAID]))
    if not templates:
        raise click.ClickException(
            f"there is no {KIND} in {', '.join(map(str, files)) or 'an empty folder'}: a forecast tries out"
            f" whole {KIND}s of {API_VERSION}"
        )
    return Editions(templates, others)


def _documents(file: Path, faults: list[str]) -> list[Document]:
    try:
        return documents_of(file)
    except UnreadableError as error:
        faults.append(f"{file}:{error.line}: {error}" if error.line else f"{file}: {error}")
        return []


def _template(document: Document, faults: list[str]) -> EServiceTemplate | None:
    """The template of a document; None where something is wrong with it, which is added to the faults."""
    read, wrong = read_whole(KIND, document.body)
    metadata = document.body.get("metadata")
    name = str(metadata.get("name") or "") if isinstance(metadata, dict) else ""
    if not name:
        wrong = [*wrong, ("metadata.name", "is missing: a forecast needs to know which template it is")]
    faults += [
        f"{document.file}:{document.line_of(path)}: {' '.join(filter(None, (KIND, name)))}:"
        f" {': '.join(filter(None, (path, sentence)))}"
        for path, sentence in wrong
    ]
    return read if isinstance(read, EServiceTemplate) and not wrong else None


def in_place_of(known: EServiceTemplate, edited: EServiceTemplate) -> EServiceTemplate:
    """The template of the cluster as it is once the edited one is applied.

    Raises:
        ClickException: the API server would refuse the edit.
    """
    refused = list(_refused(known.spec, edited.spec))
    if refused:
        name = known.metadata.name
        raise click.ClickException("\n".join(f"{KIND} {name} cannot be changed so: {one}" for one in refused))
    return known.model_copy(update={"spec": edited.spec})


def as_stored(new: EServiceTemplate) -> dict[str, Any]:
    """A template that the cluster does not have, or that cannot be read there, as if it were applied."""
    body = new.model_dump(mode="json", by_alias=True, exclude_none=True)
    metadata = {"name": new.metadata.name, "uid": f"tried-out-{new.metadata.name}", "resourceVersion": LAST}
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": body["spec"]}


Rule = Callable[[Versions, Versions], Iterator[str]]


def _removed(before: Versions, after: Versions) -> Iterator[str]:
    yield from (name for name in before if name not in after)


def _redated(before: Versions, after: Versions) -> Iterator[str]:
    yield from (
        name for name, one in before.items() if name in after and after[name].released != one.released
    )


def _taken_back(before: Versions, after: Versions) -> Iterator[str]:
    yield from (
        name
        for name, one in before.items()
        if name in after and one.withdrawn is not None and after[name].withdrawn is None
    )


NEVER: Final[dict[str, Rule]] = {
    "versions are never removed: withdraw the version instead": _removed,
    "released never changes: add a new version instead": _redated,
    "a withdrawal stays: release a new version instead of taking it back": _taken_back,
}
"""The CRD's rules that compare with the template there is, by message: which versions break one."""


def _refused(before: EServiceTemplateSpec, after: EServiceTemplateSpec) -> Iterator[str]:
    old, new = ({one.version: one for one in spec.versions} for spec in (before, after))
    for message, breaking in NEVER.items():
        yield from (f"{version}: {message}" for version in breaking(old, new))


def differences(
    known: EServiceTemplate | None, edited: EServiceTemplate, *, known_all: bool = True
) -> list[str]:
    """What an edition changes, in words: ``viss-2020 lifecycle.enforcement: Warn → Enforce``.

    ``known_all`` says whether the templates of the cluster could be read: one that is not among them is new.
    """
    name = edited.metadata.name
    if known is None and not known_all:
        return [f"{name}: as the file has it; what that changes is not known, nor which dates took effect"]
    if known is None:
        return [f"{name}: a new template"]
    old, new = (_flat(one.spec) for one in (known, edited))
    found = [
        f"{name} {path}: {old.get(path, NOTHING)} → {new.get(path, NOTHING)}"
        for path in sorted({*old, *new})
        if old.get(path) != new.get(path)
    ]
    return [*found, *_kept(known, edited)] or [f"{name}: as it is in the cluster, nothing is changed"]


def _kept(known: EServiceTemplate, edited: EServiceTemplate) -> Iterator[str]:
    """Publications that took effect, where the edition has another day for them or none."""
    recorded = recorded_dates(known)
    for version in edited.spec.versions:
        instruction, kept = version.migration_instruction, recorded.get(version.version)
        if kept is not None and (instruction is None or instruction.published != kept):
            yield f"{edited.metadata.name} {version.version} stays published on {kept}: that took effect"


def _flat(spec: EServiceTemplateSpec) -> dict[str, str]:
    """Every value of a spec by its path; a version is named by its number."""
    whole = spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    versions = {one.pop("version"): one for one in whole.pop("versions")}
    return dict(_values({**whole, "versions": versions}, ""))


def _values(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _values(inner, f"{path}.{name}" if path else name)
    else:
        yield path, ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)
