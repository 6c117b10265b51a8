"""The parts that `init()` starts and `shutdown()` stops: one file a pillar."""
