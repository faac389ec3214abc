# SPDX-License-Identifier: Apache-2.0
"""Builds those who judge our kinds in tests, kstatus and Flux's kustomize-controller; prints their folder.

`share/flux/` beside it has the CRDs of the controller's module.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "gobuild"))

from gobuild import GoTool, Shared, main

CONTROLLER = "github.com/fluxcd/kustomize-controller"
TOOL = GoTool(
    name="judges",
    folder=Path(__file__).resolve().parent,
    packages=("./kstatus", CONTROLLER),
    shared=(Shared(CONTROLLER, "config/crd/bases/*.yaml", "flux"),),
    stamps=(("main.VERSION", CONTROLLER),),
)

if __name__ == "__main__":
    sys.exit(main(TOOL))
