"""Hold-out: what mined rules say of the split that only the gate may read."""

import json
from collections.abc import Iterable
from pathlib import Path

from rule_store.folds import is_admission

_NOTHING_READ = {"hold_out": "admission"}


def hold_out_of(dialogue_ids: Iterable[str]) -> dict[str, str]:
    """What rules mined from these dialogues say of the split; nothing if one is of it.

    >>> hold_out_of(["0", "1"]), hold_out_of(["0", "1", "2"])
    ({'hold_out': 'admission'}, {})
    """
    return {} if any(map(is_admission, dialogue_ids)) else dict(_NOTHING_READ)


def hold_out_in(folder: Path) -> dict[str, str]:
    """What all rules say that mining judged in a folder; for the settings of a release of them.

    Args:
        folder: of rules that `folder_rules` has read.
    """
    path = folder / "fitted.json"
    rows = json.loads(path.read_bytes()).values() if path.is_file() else ()
    said = [_NOTHING_READ.items() <= row.items() for row in rows]
    return dict(_NOTHING_READ) if said and all(said) else {}
