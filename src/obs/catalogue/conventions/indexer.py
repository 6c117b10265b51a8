"""Indexers of block chains: how far behind the head, how deep the reorganisations, how well the nodes answer."""

from __future__ import annotations

from obs.catalogue.signal import Counter, Gauge, Label

CHAIN = Label("chain", "Which chain.", bounded=False)
ENDPOINT = Label("endpoint", "Name of the node that was asked, never its address with a key.", bounded=False)
RESULT = Label("result", "How the request ended.", ("success", "error"))

HEAD_BLOCK = Gauge(
    id="chain.head",
    metric="chain_head_block_number",
    help="Newest block that a node knows.",
    unit="{block}",
    labels=(CHAIN,),
    across="max",
)
LAST_BLOCK = Gauge(
    id="indexer.last_block",
    metric="indexer_last_block_number",
    help="Newest block that has been indexed.",
    unit="{block}",
    labels=(CHAIN,),
    across="max",
)
REORG_DEPTH = Gauge(
    id="indexer.reorg_depth",
    metric="indexer_reorg_depth_blocks",
    help="How many indexed blocks the last reorganisation replaced.",
    unit="{block}",
    labels=(CHAIN,),
    across="max",
)
RPC_REQUESTS = Counter(
    id="chain.rpc.requests",
    metric="chain_rpc_requests_total",
    help="Requests to nodes that have ended.",
    unit="{request}",
    labels=(CHAIN, ENDPOINT, RESULT),
)

SIGNALS = (HEAD_BLOCK, LAST_BLOCK, REORG_DEPTH, RPC_REQUESTS)
