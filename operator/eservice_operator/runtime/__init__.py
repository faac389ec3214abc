# SPDX-License-Identifier: Apache-2.0
"""The shell: a process that turns what happens in the cluster and on the clock into reconciles.

The only importer of kopf, and the only place with settings, a clock, metrics, health and a queue.
"""
