"""Panels of indexers."""

from __future__ import annotations

from obs.catalogue.conventions.indexer import (
    CHAIN,
    ENDPOINT,
    HEAD_BLOCK,
    LAST_BLOCK,
    REORG_DEPTH,
    RESULT,
    RPC_REQUESTS,
)
from obs.generate.derive.graphs import RATE, legend, series
from obs.generate.derive.guidance.queries import Queries
from obs.generate.model import Row


def row(ask: Queries) -> Row:
    """How an indexer follows its chains."""
    head, last = ask.label(HEAD_BLOCK, CHAIN.name), ask.label(LAST_BLOCK, CHAIN.name)
    depth = ask.label(REORG_DEPTH, CHAIN.name)
    chain, node = ask.label(RPC_REQUESTS, CHAIN.name), ask.label(RPC_REQUESTS, ENDPOINT.name)
    every = f"sum by ({chain}, {node}) (rate({ask.series(RPC_REQUESTS)}[{RATE}]))"
    failed = (
        f"sum by ({chain}, {node}) (rate({ask.series(RPC_REQUESTS, (RESULT.name, '=', 'error'))}[{RATE}]))"
    )
    return Row(
        "Indexer",
        (
            series("indexer-lag", "Blocks behind", "Blocks between the head of each chain and the indexer.", "short",
                   f"max by ({head}) ({ask.series(HEAD_BLOCK)}) - max by ({last}) ({ask.series(LAST_BLOCK)})",
                   legend(head)),
            series("indexer-pace", "Blocks indexed", "Blocks of each chain that are indexed, in each minute.", "short",
                   f"60 * max by ({last}) (deriv({ask.series(LAST_BLOCK)}[{RATE}]))", legend(last)),
            series("indexer-reorgs", "Depth of reorganisations", "Blocks that the last reorganisation replaced.", "short",
                   f"max by ({depth}) ({ask.series(REORG_DEPTH)})", legend(depth)),
            series("indexer-rpc", "Failed requests to nodes", "Share of the requests to each node that failed.",
                   "percentunit", f"({failed} or 0 * {every}) / ({every} > 0)", legend(chain, node)),
        ),
    )  # fmt: skip
