"""What the edge counts for `/metrics`: in memory, per process, without ids, keys or texts."""

from prometheus_client import Counter, Histogram

HOOK_SECONDS = Histogram(
    "rapport_hook_answer_seconds",
    "Time until a platform had its answer",
    ["channel", "status"],
    buckets=(0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
TAKEN_IN = Counter("rapport_deliveries_in", "Deliveries of platforms that were settled", ["channel", "state"])
PARTS_OUT = Counter("rapport_parts_out", "Attempts to send a part, by how they ended", ["channel", "state"])
