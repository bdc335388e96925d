"""What the hub counts for `/metrics`: in memory, per process, without ids or texts."""

from prometheus_client import Counter, Gauge, Histogram

TRIAGE_SECONDS = Histogram(
    "rapport_triage_seconds",
    "Time to read one batch of messages with the pipeline",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)
TRIAGED = Counter("rapport_triaged_messages", "Messages read with the pipeline")
SOCKETS = Gauge("rapport_sockets", "Sockets open in this process", ["kind"])  # agent, visitor
