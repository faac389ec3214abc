# SPDX-License-Identifier: Apache-2.0
"""A real Kubernetes control plane as processes of this machine, for development and tests."""
