"""One file a workload: the same computation in minigrad and in each peer, checked equal."""
