"""The registry: releases, activations, the audit trail and labelled examples, in a database.

Kept out of `rule_store`'s own names: workers import those, and need no database. What it refuses
with is in `rule_store.registry_errors`, which needs none either.
"""

from rule_store.registry.activations import ActivationRow
from rule_store.registry.audit import AuditRow
from rule_store.registry.database import Patience
from rule_store.registry.examples import Added, LabelledExample
from rule_store.registry.place import default_registry_path
from rule_store.registry.refreshes import RefreshOutcome, RefreshRow
from rule_store.registry.registry import Registry
from rule_store.registry.releases import ReleaseRow
from rule_store.registry.schema import downgrade, upgrade

__all__ = [
    "ActivationRow",
    "Added",
    "AuditRow",
    "LabelledExample",
    "Patience",
    "RefreshOutcome",
    "RefreshRow",
    "Registry",
    "ReleaseRow",
    "default_registry_path",
    "downgrade",
    "upgrade",
]
