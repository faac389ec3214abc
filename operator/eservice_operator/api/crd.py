# SPDX-License-Identifier: Apache-2.0
"""The CustomResourceDefinitions, generated: ``python -m eservice_operator.api.crd [FOLDER]``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml
from typing_extensions import override

from eservice_operator.api.kind import Column, Kind
from eservice_operator.api.kinds import KINDS
from eservice_operator.api.names import CATEGORY, GROUP, VERSION
from eservice_operator.api.schema import structural

HEADER = """\
# SPDX-License-Identifier: Apache-2.0
# Generated from operator/eservice_operator/api by `make crds`: change the models, not this file.
"""


class _Plain(yaml.SafeDumper):
    """Writes each value out where it stands, also one that stands in several places."""

    @override
    def ignore_aliases(self, data: object) -> bool:
        return True


def crd(kind: Kind) -> dict[str, Any]:
    """The CustomResourceDefinition of a kind."""
    version: dict[str, Any] = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [_printer_column(column) for column in kind.columns],
        "schema": {"openAPIV3Schema": structural(kind.model)},
    }
    if kind.selectable:
        version["selectableFields"] = [{"jsonPath": path} for path in kind.selectable]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "names": {
                "kind": kind.kind,
                "listKind": f"{kind.kind}List",
                "plural": kind.plural,
                "singular": kind.singular,
                "shortNames": [kind.short, *kind.also],
                "categories": [CATEGORY],
            },
            "versions": [version],
        },
    }


def _printer_column(column: Column) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": column.name, "type": column.type, "jsonPath": column.path}
    if column.description:
        shown["description"] = column.description
    if column.wide:
        shown["priority"] = 1
    return shown


def files() -> dict[str, str]:
    """The text of each file by its name, the same on every run."""
    return {
        f"{GROUP}_{kind.plural}.yaml": HEADER
        + yaml.dump(crd(kind), Dumper=_Plain, allow_unicode=True, sort_keys=True, width=100)
        for kind in KINDS
    }


def write(folder: Path) -> None:
    """Make the folder hold these files, and no CRD of a kind that is gone."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = files()
    for stale in folder.glob(f"{GROUP}_*.yaml"):
        if stale.name not in wanted:
            stale.unlink()
    for name, content in wanted.items():
        (folder / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "crds"))
