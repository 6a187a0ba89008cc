"""The aiokafka clients of the rows that give our guarantee."""

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from streams.bench.plan import Plan

# Large enough that a poll's records of one partition fit.
_BATCH_BYTES = 256 * 1024


def best_producer(plan: Plan, *, linger_ms: int) -> AIOKafkaProducer:
    """Idempotent, so that a retry neither doubles nor reorders, and with large batches."""
    return AIOKafkaProducer(
        bootstrap_servers=plan.bootstrap,
        acks="all",
        enable_idempotence=True,
        linger_ms=linger_ms,
        max_batch_size=_BATCH_BYTES,
        retry_backoff_ms=500,
    )


def stock_producer(plan: Plan) -> AIOKafkaProducer:
    return AIOKafkaProducer(bootstrap_servers=plan.bootstrap, acks="all")


def best_consumer(plan: Plan) -> AIOKafkaConsumer:
    """Commits when told to."""
    return AIOKafkaConsumer(
        plan.source,
        bootstrap_servers=plan.bootstrap,
        group_id=plan.group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )


def stock_consumer(plan: Plan) -> AIOKafkaConsumer:
    """Commits every five seconds whatever `getmany` has returned."""
    return AIOKafkaConsumer(
        plan.source,
        bootstrap_servers=plan.bootstrap,
        group_id=plan.group,
        auto_offset_reset="earliest",
    )
