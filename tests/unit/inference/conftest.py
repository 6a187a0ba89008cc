"""A small bundle for the tests of this folder, trained once."""

from pathlib import Path

import pytest

from inference.bundle import Bundle
from inference.compact import train
from tests.unit.inference.shop import CONCEPTS, INTENT, SCENE, intent_examples, scene_examples


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Both tasks; treat it as read-only."""
    out: Path = tmp_path_factory.mktemp("bundle") / "bundle"
    return train((INTENT, SCENE), intent_examples() + scene_examples(), CONCEPTS, out)
