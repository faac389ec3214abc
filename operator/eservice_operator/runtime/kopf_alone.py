# SPDX-License-Identifier: Apache-2.0
"""kopf, without the models of the Kubernetes client: import it from here.

kopf imports ``kubernetes.client`` where it finds it, so that handlers may give it models in place of dicts.
Ours give it neither, and those 1,100 modules would be 40 MB, a third of the operator's memory. That a module
which is None in ``sys.modules`` cannot be imported is how Python itself says that there is none.
"""

from __future__ import annotations

import sys
from typing import Any, Final

CLIENT: Final = "kubernetes"

_modules: dict[str, Any] = sys.modules
_unknown = CLIENT not in _modules
if _unknown:
    _modules[CLIENT] = None
try:
    import kopf
finally:
    if _unknown:
        del _modules[CLIENT]

__all__ = ["kopf"]
