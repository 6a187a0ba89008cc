"""The rows of the table: ours and the peers, stock and best, two also with wide polls."""

from dataclasses import dataclass

from streams.bench.plan import Flavour
from streams.errors import InvalidSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One way of doing the task.

    name: as in the JSON; a peer's rows share it.
    peer: module of `streams.bench.peers`.
    says: what it is, for the table.
    wall_bar, cpu_bar: what ours ÷ this one must reach on records of ~130 B; None for no bar.
    """

    name: str
    peer: str
    flavour: Flavour
    says: str
    wall_bar: float | None = None
    cpu_bar: float | None = None

    @property
    def key(self) -> str:
        """Names the row in a list of rows."""
        return self.name if self.ours else f"{self.name}-{self.flavour}"

    @property
    def ours(self) -> bool:
        return self.name == OURS

    @property
    def warms(self) -> bool:
        """Whether the broker is warmed up with it; one row for each client library."""
        return self.key in _WARMING

    @property
    def guarantees(self) -> bool:
        """Whether it must lose nothing when it is killed."""
        return self.flavour != "stock"


OURS = "ours"
_WARMING = (OURS, "aiokafka_send_batch-best", "confluent-best", "quix-best")


def _pair(
    name: str,
    peer: str,
    says: str,
    *,
    stock_bar: float | None = None,
    best_bar: float | None = None,
    cpu_bar: float | None = None,
) -> tuple[Row, Row]:
    return (
        Row(name=name, peer=peer, flavour="stock", says=says, wall_bar=stock_bar),
        Row(name=name, peer=peer, flavour="best", says=says, wall_bar=best_bar, cpu_bar=cpu_bar),
    )


def _wide(name: str, peer: str, says: str) -> Row:
    return Row(name=name, peer=peer, flavour="wide", says=says)


ROWS: tuple[Row, ...] = (
    Row(name=OURS, peer="frames", flavour="best", says="Faust over frames (ours)"),
    *_pair(
        "faust_one_by_one",
        "faust_one_by_one",
        "Faust one by one",
        stock_bar=35,
        best_bar=12,
    ),
    *_pair("faust_take", "faust_take", "Faust take(500)", stock_bar=30, best_bar=8),
    *_pair("aiokafka_send", "aiokafka_send", "aiokafka send", best_bar=2),
    *_pair(
        "aiokafka_send_batch",
        "aiokafka_send_batch",
        "aiokafka send_batch",
        best_bar=1.0,
        cpu_bar=0.75,
    ),
    _wide("aiokafka_send_batch", "aiokafka_send_batch", "aiokafka send_batch"),
    *_pair("confluent", "confluent", "confluent-kafka", best_bar=1.1),
    _wide("confluent", "confluent", "confluent-kafka"),
    *_pair("quix", "quix", "quix-streams", best_bar=5),
)
PEERS: tuple[str, ...] = tuple(dict.fromkeys(row.name for row in ROWS if not row.ours))


def chosen(names: tuple[str, ...]) -> tuple[Row, ...]:
    """Ours and the peers named, by `name` or `key`; all of them when none are.

    Raises:
        InvalidSettings: no row is called so.
    """
    for name in names:
        if not any(name in (row.name, row.key) for row in ROWS):
            raise InvalidSettings(f"no row is called {name}; there are {OURS}, {', '.join(PEERS)}")
    return tuple(
        row for row in ROWS if not names or row.ours or row.name in names or row.key in names
    )


def alternating(rows: tuple[Row, ...], run: int) -> tuple[Row, ...]:
    """The order of one run: forwards, then backwards, so that no row is always the warmer one."""
    return rows if run % 2 == 0 else rows[::-1]
