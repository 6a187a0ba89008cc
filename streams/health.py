"""Live and ready: whether the process turns, and whether it does its work."""

from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Health:
    """What stands between a worker and its work; every part sets its own obstacle.

    notes: what an operator should know of a worker that is ready.

    >>> health = Health()
    >>> health.block("release", "no release is active: run `kdsl release activate FILE`")
    >>> health.ready
    False
    >>> health.clear("release")
    >>> health.ready
    True
    """

    obstacles: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def block(self, part: str, why: str) -> None:
        """Say why the worker is not ready; the sentence names the cure."""
        self.obstacles[part] = why

    def clear(self, part: str) -> None:
        self.obstacles.pop(part, None)

    @property
    def ready(self) -> bool:
        return not self.obstacles
