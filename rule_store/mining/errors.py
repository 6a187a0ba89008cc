"""What can go wrong in mining.

RuleStoreError
└── MiningError
    └── UnreadEvidence     an example was not looked at where a predicate asks
"""

from __future__ import annotations

from rule_store.errors import RuleStoreError, shown


class MiningError(RuleStoreError):
    """Base of all errors of mining."""


class UnreadEvidence(MiningError):
    """An example was not looked at where a predicate asks."""

    def __init__(self, example_id: str, unread: str) -> None:
        super().__init__(
            f"example {shown(example_id)}: {unread} is unread; leave the example out, or give "
            "the readings of its images"
        )
        self.example_id = example_id
        self.unread = unread
