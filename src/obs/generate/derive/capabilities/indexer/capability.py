"""Indexers: alerts on lag, standstill, reorganisations and nodes."""

from __future__ import annotations

from obs.generate.derive.capabilities.capability import Capability, Entry
from obs.generate.derive.capabilities.indexer import alerts, guide, panels

CAPABILITY = Capability(
    name="indexer",
    category="indexer",
    alerts=(
        Entry("IndexerLagHigh", alerts.LAG_HIGH, alerts.lag_high, "indexer-lag", guide.lag_high),
        Entry("IndexerStalled", alerts.STALLED, alerts.stalled, "indexer-pace", guide.stalled),
        Entry("ChainReorgDeep", alerts.REORG_DEEP, alerts.reorg_deep, "indexer-reorgs", guide.reorg_deep),
        Entry("RpcEndpointErrors", alerts.RPC_ERRORS, alerts.rpc_errors, "indexer-rpc", guide.rpc_errors),
    ),
    row=panels.row,
)
