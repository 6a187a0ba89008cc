"""What can go wrong with the registry.

RegistryError
├── RegistryUnavailable    no such place, nobody answers, or another writer holds it too long
├── RegistryOutdated       its schema is not the one this kdsl works with
├── RegistryConflict       what is asked contradicts what stands there
├── RegistryDamaged        what stands there is not what was put there
│   └── AuditBroken        likewise a row of the audit trail
├── UnknownRelease         no release, or more than one, is called so
├── UnknownActivation      nothing was activated under this sequence
└── InvalidEntry           a value the registry does not take
"""

from __future__ import annotations

from collections.abc import Sequence

from rule_store.errors import RuleStoreError, shown


class RegistryError(RuleStoreError):
    """Base of all errors of the registry."""


class RegistryUnavailable(RegistryError):
    """The database cannot be opened, or does not answer in time."""

    def __init__(self, place: str, fault: str) -> None:
        super().__init__(f"registry {place}: {fault}")
        self.place = place
        self.fault = fault


class RegistryOutdated(RegistryError):
    """The database has another schema than this kdsl.

    Attributes:
        found: its revision; None when it has none.
        known: the revision this kdsl works with.
    """

    def __init__(self, place: str, *, found: str | None, known: str, fault: str) -> None:
        super().__init__(f"registry {place} {fault}")
        self.place = place
        self.found = found
        self.known = known


class RegistryConflict(RegistryError):
    """What is asked contradicts what stands in the registry; nothing was changed."""


class RegistryDamaged(RegistryError):
    """Somebody changed the registry past this program."""


class AuditBroken(RegistryDamaged):
    """The audit trail is not as it was written; `number` is the first row at fault."""

    def __init__(self, number: int, fault: str) -> None:
        super().__init__(
            f"audit row {number} {fault}: the trail was changed past kdsl; compare the database "
            "with a backup from before"
        )
        self.number = number
        self.fault = fault


class UnknownRelease(RegistryError):
    """No release, or more than one, is called so."""

    def __init__(self, name: str, *, found: Sequence[str] = ()) -> None:
        if found:
            fault = f"may be any of {', '.join(found)}; give more digits"
        else:
            fault = (
                "is not in the registry; see what is there with `kdsl release list`, "
                "or put it there with `kdsl release build`"
            )
        super().__init__(f"release {shown(name)} {fault}")
        self.name = name
        self.found = tuple(found)


class UnknownActivation(RegistryError):
    """Nothing was activated under this sequence."""

    def __init__(self, domain: str, sequence: int) -> None:
        super().__init__(
            f"domain {shown(domain)} has no activation of sequence {sequence} in this registry; "
            "see `kdsl release history`"
        )
        self.domain = domain
        self.sequence = sequence


class InvalidEntry(RegistryError):
    """A value the registry does not take.

    Attributes:
        where: the part at fault.
        fault: what is wrong with it and what to do.
    """

    def __init__(self, where: str, fault: str) -> None:
        super().__init__(f"invalid {where}: {fault}")
        self.where = where
        self.fault = fault
