"""The alerter: tags → the pack's policy → alerts for operators."""

from collections.abc import Callable, Sequence

from cachetools import LRUCache

from streams.alerts import NoAlert, consider
from streams.codec import decode_tag, encode_alert
from streams.domain import Domain
from streams.errors import InvalidEvent
from streams.events import Alert
from streams.failures import Failures
from streams.metrics import Metrics
from streams.newest import NewestTags
from streams.records import Output, Record
from streams.role import Outputs, Role, never

# A restarted worker may raise an alert again; it has the same id, so consumers can tell.
_REMEMBERED_ALERTS = 100_000


class Alerter(Role):
    """Reads `dialogue.tags`; an older tag than the newest of its dialogue raises nothing."""

    name = "alerter"
    source = "tags"
    needs_release = False

    def __init__(
        self,
        *,
        domain: Domain,
        metrics: Metrics,
        failures: Failures,
        now_ms: Callable[[], int],
    ) -> None:
        super().__init__(metrics=metrics, failures=failures, now_ms=now_ms)
        self._domain = domain
        self._newest = NewestTags()
        self._raised: LRUCache[str, bool] = LRUCache(maxsize=_REMEMBERED_ALERTS)
        self._read_to: dict[int, int] = {}  # partition → offset of the last record decided

    async def decide(
        self, records: Sequence[Record], *, abandoned: Callable[[], bool] = never
    ) -> list[Outputs]:
        outputs: list[Outputs] = []
        for record in records:
            if self.failures.too_many or abandoned():
                break
            try:
                self._note_read(record)
                outputs.append(self._decide(record))
                self.note_decided()
            except Exception as error:  # noqa: BLE001 - one record's failure is its dead letter
                outputs.append(self.dead_letter(record, error))
        return outputs

    def _note_read(self, record: Record) -> None:
        """Forget what was decided when records come again: their alerts may never have been sent.

        So it is after a rebalance that gives back what it took. An alert raised twice keeps its id.
        """
        if record.offset <= self._read_to.get(record.partition, -1):
            self._newest = NewestTags()
            self._raised.clear()
        self._read_to[record.partition] = record.offset

    def _decide(self, record: Record) -> Outputs:
        tag = decode_tag(record.value or b"")
        if tag.domain != self._domain.name:
            raise InvalidEvent(
                f"tag of domain {tag.domain!r}; this worker serves {self._domain.name!r}",
                reason="foreign_domain",
            )
        newest = self._newest.accept(tag)
        alerts = []
        for outcome in consider(tag, self._domain.alert_policies, now_ms=self.now_ms()):
            match outcome:
                case NoAlert():
                    self._withhold(outcome.policy, outcome.reason)
                case Alert() if not newest:
                    self._withhold(outcome.policy, "superseded")
                case Alert() if outcome.alert_id in self._raised:
                    self._withhold(outcome.policy, "cooldown")
                case Alert():
                    self._raised[outcome.alert_id] = True
                    self.metrics.alerts.labels(policy=outcome.policy).inc()
                    key = tag.dialogue_id.encode()
                    alerts.append(Output(kind="alerts", key=key, value=encode_alert(outcome)))
        return tuple(alerts)

    def _withhold(self, policy: str, reason: str) -> None:
        self.metrics.no_alerts.labels(policy=policy, reason=reason).inc()
