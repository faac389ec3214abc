# SPDX-License-Identifier: Apache-2.0
"""Dates stay dates on every way into a cluster.

YAML takes an unquoted ``2026-11-13`` for an instant, and kustomize (Flux, Argo CD, ``kubectl apply -k``)
writes it as ``"2026-11-13T00:00:00Z"``, which a field for a date refuses. ``kubectl apply -f`` does not.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from eservice_operator.cli.output import as_yaml
from eservice_operator.core.actions import Manifest, ref_of
from tests.contract.manifests import (
    ROOT,
    SAMPLES,
    WRITTEN_BY_OPERATOR,
    base_samples,
    demo_samples,
    documents,
)
from tests.support.kubectl import KUBECTL

PATCH = SAMPLES / "demo" / "60-instruction.patch.yaml"
PUBLISHED = ("spec", "versions", 4, "migrationInstruction", "published")
YAML = [
    *SAMPLES.rglob("*.yaml"),
    *(ROOT / "docs").rglob("*.yaml"),
    *(ROOT / "docs").rglob("*.md"),
    ROOT / "README.md",
    ROOT / "samples" / "README.md",
]


def kustomized(folder: Path, *files: Path, patches: str = "[]") -> list[Manifest]:
    """What kustomize makes of the files."""
    for file in files:
        (folder / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    resources = [file.name for file in files if ".patch." not in file.name]
    (folder / "kustomization.yaml").write_text(f"resources: {resources}\npatches: {patches}\n")
    done = subprocess.run([KUBECTL, "kustomize", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rendered = folder / "rendered"
    rendered.write_text(done.stdout, encoding="utf-8")
    return documents(rendered)


def by_ref(manifests: tuple[Manifest, ...] | list[Manifest]) -> dict[str, Manifest]:
    return {str(ref_of(manifest)): manifest for manifest in manifests}


@pytest.mark.parametrize(
    "pattern, wanted", [("*.yaml", base_samples()), ("demo/*.yaml", demo_samples())], ids=["base", "demo"]
)
def test_kustomize_leaves_the_samples_as_they_are(
    tmp_path: Path, pattern: str, wanted: tuple[Manifest, ...]
) -> None:
    files = [file for file in sorted(SAMPLES.glob(pattern)) if ".patch." not in file.name]
    assert by_ref(kustomized(tmp_path, *files)) == by_ref(wanted)


def test_kustomize_takes_the_patch_of_the_story(tmp_path: Path) -> None:
    target = "[{path: 60-instruction.patch.yaml, target: {kind: EServiceTemplate}}]"
    (template,) = kustomized(tmp_path, SAMPLES / "10-template.yaml", PATCH, patches=target)
    found: Any = template
    for step in PUBLISHED:
        found = found[step]
    assert found == "2026-11-22"


def test_what_the_plugin_prints_goes_through_kustomize(tmp_path: Path) -> None:
    """Its objects are for Git: ``kubectl eservice defer --dry-run > deferral.yaml``."""
    printed = tmp_path / "printed.yaml"
    objects = [*base_samples(), *WRITTEN_BY_OPERATOR]
    printed.write_text("\n---\n".join(as_yaml(obj) for obj in objects), encoding="utf-8")
    folder = tmp_path / "folder"
    folder.mkdir()
    assert by_ref(kustomized(folder, printed)) == by_ref(objects)


def test_an_unquoted_date_is_what_it_was_about(tmp_path: Path) -> None:
    """Should kustomize ever leave it alone, then the quotes are no longer needed."""
    careless = tmp_path / "deferral.yaml"
    careless.write_text("apiVersion: v1\nkind: Other\nmetadata: {name: other}\nuntil: 2027-03-31\n")
    folder = tmp_path / "folder"
    folder.mkdir()
    (rendered,) = kustomized(folder, careless)
    assert rendered["until"] == "2027-03-31T00:00:00Z"


def blocks(path: Path) -> Iterator[str]:
    """The YAML of a file: all of it, or what a document shows as such."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".yaml":
        yield text
    else:
        yield from re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def dates(value: Any) -> Iterator[date]:
    """Every date or instant that YAML sees in a document."""
    if isinstance(value, date):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from dates(part)


@pytest.mark.parametrize("path", YAML, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_date_is_shown_without_quotes(path: Path) -> None:
    for block in blocks(path):
        assert list(dates(list(yaml.safe_load_all(block)))) == []
