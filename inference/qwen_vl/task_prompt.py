"""What every prompt of a task has in common; written beside the adapter that learnt with it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from inference.bundle import canonical_json
from inference.inputs import TaskSpec
from inference.qwen_vl.label_codes import LabelCodes, TokenIds, label_codes
from inference.qwen_vl.prompt import PromptSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPrompt:
    """A task with the codes of its labels and the settings of its prompts."""

    task: TaskSpec
    codes: LabelCodes
    settings: PromptSettings = field(default_factory=PromptSettings)

    @classmethod
    def of(cls, task: TaskSpec, token_ids: TokenIds, settings: PromptSettings) -> TaskPrompt:
        """Choose the label codes.

        Raises:
            TrainingRefused: the tokenizer has fewer single tokens than the task has labels.
        """
        return cls(task=task, codes=label_codes(len(task.labels), token_ids), settings=settings)

    def to_json(self) -> bytes:
        """As canonical JSON; `from_json` takes it back."""
        return canonical_json(
            {
                "task": self.task.name,
                "labels": list(self.task.labels),
                "descriptions": dict(self.task.descriptions),
                "codes": list(self.codes.codes),
                "token_ids": list(self.codes.token_ids),
                "settings": asdict(self.settings),
            }
        )

    @classmethod
    def from_json(cls, content: bytes) -> TaskPrompt:
        """Take a task prompt back.

        Raises:
            ValueError: the content is something else.
        """
        try:
            fields = json.loads(content)
            task = TaskSpec(
                name=str(fields["task"]),
                labels=tuple(map(str, fields["labels"])),
                descriptions={str(k): str(v) for k, v in fields["descriptions"].items()},
            )
            codes = LabelCodes(
                codes=tuple(map(str, fields["codes"])),
                token_ids=tuple(map(int, fields["token_ids"])),
            )
            settings = PromptSettings(**fields["settings"])
        except (KeyError, TypeError, AttributeError) as error:
            msg = f"not the prompt of a task: {error!r}"
            raise ValueError(msg) from error
        if not len(task.labels) == len(codes.codes) == len(codes.token_ids):
            msg = "not the prompt of a task: labels and codes differ in number"
            raise ValueError(msg)
        return cls(task=task, codes=codes, settings=settings)
