"""The parts of one worker, each made of what they all share."""

import uuid
from dataclasses import dataclass
from functools import partial
from typing import assert_never

from streams.activations import Activations
from streams.alerter import Alerter
from streams.delivery import Delivery
from streams.domain import Domain
from streams.failures import Failures
from streams.health import Health
from streams.heartbeat import Heartbeat, Reporter
from streams.log_ends import LogEnds
from streams.metrics import Metrics
from streams.model_side import ModelSide
from streams.preflight import create_command
from streams.releases import ReleaseFollower
from streams.resolver import Resolver
from streams.role import Role, system_now_ms
from streams.settings import RoleName, Settings
from streams.shadowing import Shadowing
from streams.side_outlet import side_producer
from streams.source import Source
from streams.standing import Standing
from streams.tagger import Tagger
from streams.topic_watch import TopicWatch, ask_state
from streams.topics import Kind, topic_name
from streams.trust import trust_of
from streams.watchdog import Watchdog
from streams.web import Web


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """What the parts of a worker share; makes each of them.

    worker: its name towards operators, without a host's name.
    """

    settings: Settings
    domain: Domain
    role: Role
    worker: str
    standing: Standing
    health: Health
    metrics: Metrics

    @classmethod
    def of(cls, settings: Settings, domain: Domain, name: RoleName) -> "Wiring":
        metrics = Metrics(name)
        instance = settings.instance or uuid.uuid4().hex[:12]
        return cls(
            settings=settings,
            domain=domain,
            role=_role(settings, name, domain, metrics),
            worker=f"{domain.name}-{name}-{instance}",
            standing=Standing(),
            health=Health(),
            metrics=metrics,
        )

    def topic(self, kind: Kind) -> str:
        return topic_name(kind, prefix=self.settings.prefix)

    def web(self) -> Web:
        return Web(
            host=self.settings.web_host,
            port=self.settings.web_port,
            health=self.health,
            metrics=self.metrics,
        )

    def heartbeat(self) -> Heartbeat:
        reporter = Reporter(
            worker=self.worker,
            domain=self.domain.name,
            labels_digest=self.domain.labels_digest if self.role.needs_release else None,
            every_s=self.settings.status_every_s,
            role=self.role,
            standing=self.standing,
            health=self.health,
            metrics=self.metrics,
        )
        return Heartbeat(
            producer=side_producer(self.settings.cluster),
            topic=self.topic("status"),
            report=reporter.status,
            changed=self.standing.changed,
            every_s=self.settings.status_every_s,
            metrics=self.metrics,
        )

    def delivery(self) -> Delivery:
        return Delivery(
            cluster=self.settings.cluster,
            prefix=self.settings.prefix,
            within_s=self.settings.deliver_within_s,
            health=self.health,
            metrics=self.metrics,
        )

    def follower(self) -> ReleaseFollower | None:
        """None for a role that needs no release.

        Raises:
            InvalidSettings: whose releases to obey is not said.
        """
        if not self.role.needs_release:
            return None
        return ReleaseFollower(
            cluster=self.settings.cluster,
            topic=self.topic("releases"),
            activations=Activations(domain=self.domain, trust=trust_of(self.settings)),
            role=self.role,
            standing=self.standing,
            health=self.health,
            metrics=self.metrics,
        )

    def shadowing(self, source: Source) -> Shadowing | None:
        """None for a role that needs no release."""
        if not self.role.needs_release:
            return None
        return Shadowing(
            role=self.role,
            producer=side_producer(self.settings.cluster),
            topic=self.topic("shadow"),
            domain=self.domain.name,
            worker=self.worker,
            counts_every_s=self.settings.status_every_s,
            behind=lambda: source.in_flight() >= self.settings.batch,
            metrics=self.metrics,
        )

    def watchdog(self, source: Source) -> Watchdog:
        return Watchdog(
            holdings=source,
            logs=LogEnds(self.settings.cluster),
            progress=self.role.progress,
            health=self.health,
            metrics=self.metrics,
            patience_s=self.settings.stall_after_s,
            exit_on_stall=self.settings.exit_on_stall,
        )

    def topic_watch(self, source: Source) -> TopicWatch:
        topic, cluster = self.topic(self.role.source), self.settings.cluster
        return TopicWatch(
            topic,
            held=source,
            state=partial(ask_state, cluster, topic),
            create=create_command(cluster, self.settings.prefix),
            health=self.health,
        )


def _role(settings: Settings, name: RoleName, domain: Domain, metrics: Metrics) -> Role:
    failures = Failures()
    match name:
        case "tagger":
            return Tagger(
                domain=domain,
                image_prefixes=settings.image_prefixes,
                early_answer=settings.early_answer,
                metrics=metrics,
                failures=failures,
                now_ms=system_now_ms,
            )
        case "resolver":
            return Resolver(
                domain=domain,
                model_side=ModelSide(settings, domain),
                metrics=metrics,
                failures=failures,
                now_ms=system_now_ms,
            )
        case "alerter":
            return Alerter(domain=domain, metrics=metrics, failures=failures, now_ms=system_now_ms)
        case _:
            assert_never(name)
