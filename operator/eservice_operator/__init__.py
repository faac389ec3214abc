# SPDX-License-Identifier: Apache-2.0
"""The e-service operator: e-services installed, published and unpublished by rules that people can check.

The layers, each importing only what stands below it: `runtime` (the shell), `cluster` (what talks to the
Kubernetes API), `core` (the decisions, pure) and `api` (the contract: kinds, names, reasons).
`__version__` is the only place where the version is written.
"""

__version__ = "0.1.0"
