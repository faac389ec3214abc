# SPDX-License-Identifier: Apache-2.0
"""What docs/gitops.md tells people to copy is what was tried."""

from __future__ import annotations

import re

import yaml

from eservice_operator.api.names import GROUP
from tests.gitops.argo import ROOT, SCRIPT

TEXT = (ROOT / "docs" / "gitops.md").read_text()


def test_argo_cd_is_given_the_script_for_all_kinds_of_the_group() -> None:
    (shown,) = re.findall(r"^```yaml\n(data:\n.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    customizations = yaml.safe_load(yaml.safe_load(shown)["data"]["resource.customizations"])
    assert customizations == {f"{GROUP}/*": {"health.lua": SCRIPT.read_text()}}
