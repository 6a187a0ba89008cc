"""What a worker counts, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The metrics of one worker, in a registry of its own."""

    def __init__(self, role: str) -> None:
        self.registry = CollectorRegistry()
        self.records = Counter(
            "kdsl_records",
            "Records taken, decided and acknowledged",
            ["outcome"],
            registry=self.registry,
        )
        self.frames = Counter("kdsl_frames", "Frames taken", registry=self.registry)
        self.bytes = Counter(
            "kdsl_bytes",
            "Bytes of keys and values taken and sent",
            ["direction"],
            registry=self.registry,
        )
        self.buffered_bytes = Gauge(
            "kdsl_buffered_bytes", "Bytes taken and not yet acknowledged", registry=self.registry
        )
        self.commit_lag = Gauge(
            "kdsl_commit_lag_records",
            "Offsets between the last commit and the end of the log",
            ["partition"],
            registry=self.registry,
        )
        self.stalled = Gauge(
            "kdsl_stalled",
            "1 while there is work and nothing of it moves",
            registry=self.registry,
        )
        self.loop_stall = Gauge(
            "kdsl_loop_stall_seconds",
            "Longest that the event loop did not come back to a ticking task in the last 15 s",
            registry=self.registry,
        )
        self.own_loop_stall = Gauge(
            "kdsl_own_loop_stall_seconds",
            "Likewise, without the time that its thread waited for a processor",
            registry=self.registry,
        )
        self.delivery_failures = Counter(
            "kdsl_delivery_failures",
            "Deliveries that the broker did not acknowledge",
            ["kind"],
            registry=self.registry,
        )
        self.tags = Counter("kdsl_tags", "Tags sent", ["task", "source"], registry=self.registry)
        self.deferred = Counter(
            "kdsl_deferred", "Questions deferred", ["task", "reason"], registry=self.registry
        )
        self.dead_letters = Counter(
            "kdsl_dead_letters", "Records dead-lettered", ["reason"], registry=self.registry
        )
        self.alerts = Counter("kdsl_alerts", "Alerts raised", ["policy"], registry=self.registry)
        self.no_alerts = Counter(
            "kdsl_alerts_withheld",
            "Tags a policy names that raised no alert, and why",
            ["policy", "reason"],
            registry=self.registry,
        )
        self.decide_s = Histogram(
            "kdsl_decide_seconds",
            "Time to decide one batch of records",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.deliver_s = Histogram(
            "kdsl_deliver_seconds",
            "Time until the broker acknowledged a batch's output",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.refused_releases = Counter(
            "kdsl_releases_refused", "Activations refused", registry=self.registry
        )
        self.release = Gauge(
            "kdsl_release_info", "The release in force", ["digest"], registry=self.registry
        )
        self.shadow_questions = Counter(
            "kdsl_shadow_questions",
            "Questions that the shadow release decided too, by the label of the release in force",
            ["task", "label", "outcome"],
            registry=self.registry,
        )
        self.shadow_skipped = Counter(
            "kdsl_shadow_skipped",
            "Questions that the shadow release did not decide, and why",
            ["why"],
            registry=self.registry,
        )
        self.shadow_failures = Counter(
            "kdsl_shadow_failures",
            "Batches of differences and counts that the broker did not acknowledge",
            registry=self.registry,
        )
        self.status_failures = Counter(
            "kdsl_status_failures",
            "Statuses of this worker that the broker did not acknowledge",
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "kdsl_in_flight", "Records taken and not yet acknowledged", registry=self.registry
        )
        self.paused = Gauge(
            "kdsl_paused", "1 while too many valid records fail", registry=self.registry
        )
        self.role = Gauge("kdsl_role_info", "The worker's role", ["role"], registry=self.registry)
        self.role.labels(role=role).set(1)

    def lag(self) -> int | None:
        """Offsets not committed, over all partitions held; None when none is, or none was asked."""
        samples = [sample for metric in self.commit_lag.collect() for sample in metric.samples]
        return round(sum(sample.value for sample in samples)) if samples else None

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)
