# SPDX-License-Identifier: Apache-2.0
"""Builds Helm, whose `--wait` judges our kinds in tests, and prints the folder with it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "gobuild"))

from gobuild import GoTool, main

HELM = "helm.sh/helm/v4"
TOOL = GoTool(
    name="helm",
    folder=Path(__file__).resolve().parent,
    packages=(f"{HELM}/cmd/helm",),
    stamps=((f"{HELM}/internal/version.version", HELM),),
)

if __name__ == "__main__":
    sys.exit(main(TOOL))
