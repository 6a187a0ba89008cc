"""How many of the last valid records our own code failed on."""

from collections import deque


class Failures:
    """A sliding window over valid records; too many failures mean the fault is ours.

    Dead-lettering every record of a topic because of a defect of our own would empty the topic
    into the dead letters. So beyond a share of the window the worker stops taking records.

    >>> failures = Failures(window=10, at_least=5, share=0.2)
    >>> for failed in (False, False, False, False, True):
    ...     failures.add(failed=failed)
    >>> failures.too_many
    False
    >>> failures.add(failed=True)
    >>> failures.too_many
    True
    """

    def __init__(self, *, window: int = 500, at_least: int = 100, share: float = 0.2) -> None:
        self._outcomes: deque[bool] = deque(maxlen=window)
        self._failed = 0
        self._at_least = at_least
        self._share = share

    def add(self, *, failed: bool) -> None:
        if len(self._outcomes) == self._outcomes.maxlen:
            self._failed -= self._outcomes[0]
        self._outcomes.append(failed)
        self._failed += failed

    @property
    def too_many(self) -> bool:
        seen = len(self._outcomes)
        return seen >= self._at_least and self._failed > self._share * seen

    @property
    def summary(self) -> str:
        return f"{self._failed} of the last {len(self._outcomes)} valid records"


def raised_at(error: BaseException) -> str:
    """File and line that raised: what may be logged where the error's text may quote a record."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return "unknown"
    return f"{traceback.tb_frame.f_code.co_filename}:{traceback.tb_lineno}"
