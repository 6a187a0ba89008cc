"""A system with a release in force, for each fault, and a model that is learnt in a second."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from inference.compact import train
from inference.inputs import ModelInput, TrainingExample
from streams.cli.model import task_specs
from streams.domain import load_domain
from streams.local_broker import LocalBroker
from tests.faults.harness import activate
from tests.system import System


@pytest.fixture
def system(kafka: LocalBroker, tmp_path: Path) -> Iterator[System]:
    with System(kafka=kafka, folder=tmp_path) as system:
        activate(system)
        yield system


@pytest.fixture(scope="session")
def small_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real model for the resolver that knows the labels' own descriptions and no more."""
    domain = load_domain("storefront")
    examples = [
        TrainingExample(
            example_id=f"{task.name}-{label.name}-{number}",
            input=ModelInput(task=task.name, texts={"last": text, "user": text}),
            label=label.name,
        )
        for task in domain.tasks.values()
        for label in task.labels
        for number, text in enumerate((label.description, label.name.replace("_", " ")))
    ]
    out = tmp_path_factory.mktemp("small-model") / "bundle"
    train(task_specs(domain), examples, domain.lexicon.concepts, out)
    return out
