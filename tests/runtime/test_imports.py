# SPDX-License-Identifier: Apache-2.0
"""What a starting operator loads, which is memory that it never gives back."""

import subprocess
import sys

import pytest

LARGE = ("kubernetes", "matplotlib", "requests", "numpy")
"""Each costs more than the operator's own modules do, or shows that something else came along."""
TELL = f"from sys import modules as m; print(*(one for one in {LARGE} if one in m), 'kopf' in m, len(m))"


@pytest.mark.parametrize(
    "module,with_kopf",
    [("eservice_operator.runtime.wiring", True), ("eservice_operator.authorizer.process", False)],
)
def test_the_models_of_the_kubernetes_client_are_not_loaded(module: str, with_kopf: bool) -> None:
    load = f"import {module}" + (", eservice_operator.runtime.operator" if with_kopf else "")
    done = subprocess.run(
        [sys.executable, "-c", f"{load}; {TELL}"], capture_output=True, text=True, check=True
    )
    *large, kopf, modules = done.stdout.split()
    assert not large
    assert kopf == str(with_kopf)
    assert int(modules) > 300, "it was loaded at all"


def test_whoever_wants_the_client_beside_kopf_gets_it() -> None:
    load = "import eservice_operator.runtime.handlers, eservice_operator.cluster.plugins"
    done = subprocess.run(
        [sys.executable, "-c", f"{load}, kubernetes; print(kubernetes.__version__)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("36.")
