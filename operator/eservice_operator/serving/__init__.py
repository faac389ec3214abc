# SPDX-License-Identifier: Apache-2.0
"""What the servers beside the operator share: connections with bounds, probes, signals, logs, settings.

Knows no cluster, and nothing of what is served.
"""
