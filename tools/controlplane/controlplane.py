# SPDX-License-Identifier: Apache-2.0
"""The local development control plane: a command, and the module that tests import. See README.md."""

from __future__ import annotations

import sys

from localcluster.cli import main
from localcluster.cluster import Cluster
from localcluster.errors import ClusterError
from localcluster.startup import Options

__all__ = ["Cluster", "ClusterError", "Options"]

if __name__ == "__main__":
    sys.exit(main())
