"""Learns an adapter step by step, and can go on from any step."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.calibration import log_loss
from inference.errors import TrainingRefused
from inference.inputs import TrainingExample
from inference.qwen_vl.adapter import label_logits, model_batch, trained
from inference.qwen_vl.ahead import ahead
from inference.qwen_vl.augmentation import augmented
from inference.qwen_vl.encoding import Encoder
from inference.qwen_vl.post_training_settings import PostTrainingSettings
from inference.qwen_vl.sample import EncodedSample
from inference.qwen_vl.schedule import class_weights, epoch_batches, learning_rate
from inference.qwen_vl.training_report import HeldOut, Step, weighted_f1
from inference.qwen_vl.training_split import Split
from inference.qwen_vl.training_state import TrainingState

Progress = Callable[[str], None]
Floats = NDArray[np.float64]


class TrainingLoop:
    """An adapter, what moves it, and where it stands."""

    def __init__(
        self,
        model: Any,
        encoder: Encoder,
        split: Split,
        settings: PostTrainingSettings,
        device: str,
    ) -> None:
        """Set up; nothing is learnt yet.

        Args:
            model: a checkpoint with an adapter, on the device.
            encoder: of the task.
            split: both parts hold examples.
            settings: of the run.
            device: `cpu` or `cuda`.
        """
        import torch

        self.state = TrainingState()
        self._model, self._encoder, self._split = model, encoder, split
        self._settings, self._device = settings, device
        self._weights = trained(model)
        self._optimizer: Any = torch.optim.AdamW(
            self._weights.values(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self._labels = self._indices(split.learnt)
        self._held_out_labels = self._indices(split.held_out)
        count = len(encoder.prompt.task.labels)
        self._class_weights = class_weights(self._labels, count, weighting=settings.class_weighting)
        self._lengths = self._count_tokens(split.learnt)
        self._held_out_lengths = self._count_tokens(split.held_out)
        each_epoch = len(
            epoch_batches(self._lengths, batch_size=settings.batch_size, seed=0, epoch=0)
        )
        self.all_steps = settings.epochs * each_epoch

    @property
    def trained_weights(self) -> int:
        return sum(each.numel() for each in self._weights.values())

    def run(self, checkpoint: Callable[[], None], say: Progress) -> None:
        """Learn until the epochs or the patience end.

        Args:
            checkpoint: called whenever the state is worth keeping.
            say: told a sentence now and then.

        Raises:
            TrainingRefused: the loss is no number any more.
        """
        state, settings = self.state, self._settings
        while state.epoch < settings.epochs and not state.patience_ended(settings.patience):
            self._learn_epoch(checkpoint, say)
            self._judge(say)
            state.epoch, state.batch = state.epoch + 1, 0
            checkpoint()

    def held_out_logits(self) -> Floats:
        """`[N, C]` of the held-out examples, in their order."""
        import torch

        together = 2 * self._settings.micro_batch
        order = sorted(range(len(self._held_out_lengths)), key=self._held_out_lengths.__getitem__)
        batches = [order[at : at + together] for at in range(0, len(order), together)]
        logits = np.zeros((len(order), len(self._class_weights)))
        self._model.eval()
        with torch.no_grad():
            for chosen, samples in zip(batches, ahead(self._encode_held_out, batches), strict=True):
                logits[chosen] = self._logits(samples).cpu().numpy()
        return logits

    def keep_best(self) -> None:
        """Put the weights back that did best on the held-out examples."""
        self._put_back(self.state.best)

    def tensors(self) -> dict[str, Any]:
        """What moves, beside the state: weights, optimizer, random generators."""
        import torch

        cuda = torch.cuda.get_rng_state() if self._device == "cuda" else None
        return {
            "weights": _copied(self._weights),
            "optimizer": self._optimizer.state_dict(),
            "random": torch.get_rng_state(),
            "random_cuda": cuda,
        }

    def go_on(self, state: TrainingState, tensors: Mapping[str, Any]) -> None:
        """Stand where another loop of the same run stood."""
        import torch

        self.state = state
        self._put_back(tensors["weights"])
        self._optimizer.load_state_dict(tensors["optimizer"])
        torch.set_rng_state(tensors["random"])
        if tensors["random_cuda"] is not None:
            torch.cuda.set_rng_state(tensors["random_cuda"])

    def _learn_epoch(self, checkpoint: Callable[[], None], say: Progress) -> None:
        state, settings = self.state, self._settings
        batches = epoch_batches(
            self._lengths, batch_size=settings.batch_size, seed=settings.seed, epoch=state.epoch
        )
        rest = batches[state.batch :]
        encode = partial(self._encode_learnt, state.epoch)
        self._model.train()
        for chosen, samples in zip(rest, ahead(encode, rest), strict=True):
            step = self._step(samples, self._labels[list(chosen)])
            state.steps.append(step)
            state.batch += 1
            if step.step % settings.checkpoint_every_steps == 0:
                checkpoint()
                say(f"step {step.step} of {self.all_steps}: loss {step.loss:.4f}")

    def _step(self, samples: Sequence[EncodedSample], labels: NDArray[np.int64]) -> Step:
        """Change the weights once; the examples pass a few at a time."""
        import torch

        settings, done = self._settings, len(self.state.steps)
        weights = self._class_weights[labels]
        loss = 0.0
        for at in range(0, len(samples), settings.micro_batch):
            part = slice(at, at + settings.micro_batch)
            right = torch.from_numpy(labels[part]).to(self._device)
            share = torch.from_numpy((weights / weights.sum())[part]).float().to(self._device)
            losses = torch.nn.functional.cross_entropy(
                self._logits(samples[part]), right, reduction="none"
            )
            weighted: Any = (losses * share).sum()
            weighted.backward()
            loss += weighted.item()
        if not math.isfinite(loss):
            raise TrainingRefused(
                f"the loss of step {done + 1} is {loss}; lower the learning rate and name a new "
                "folder"
            )
        rate = learning_rate(
            done,
            steps=self.all_steps,
            highest=settings.learning_rate,
            warm_up_share=settings.warm_up_share,
        )
        self._move(rate)
        return Step(step=done + 1, loss=loss, learning_rate=rate)

    def _move(self, rate: float) -> None:
        import torch

        torch.nn.utils.clip_grad_norm_(self._weights.values(), self._settings.highest_gradient_norm)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)

    def _judge(self, say: Progress) -> None:
        state, labels = self.state, self._held_out_labels
        logits = self.held_out_logits()
        predicted = logits.argmax(axis=1)
        judged = HeldOut(
            step=len(state.steps),
            weighted_f1=weighted_f1(predicted, labels),
            accuracy=float((predicted == labels).mean()),
            log_loss=log_loss(logits, labels),
        )
        state.held_out.append(judged)
        if state.best_at() == len(state.held_out) - 1:
            state.best = _copied(self._weights)
        say(
            f"epoch {state.epoch + 1} of {self._settings.epochs}, step {judged.step}: "
            f"held-out weighted F1 {judged.weighted_f1:.4f}, log-loss {judged.log_loss:.4f}"
        )

    def _logits(self, samples: Sequence[EncodedSample]) -> Any:
        batch = model_batch(samples, self._device)
        return label_logits(self._model, batch, self._encoder.prompt.codes.token_ids)

    def _encode_learnt(self, epoch: int, chosen: Sequence[int]) -> list[EncodedSample]:
        """The images change from epoch to epoch, the same way in every run."""
        samples = []
        for at in chosen:
            random = np.random.default_rng((self._settings.seed, epoch, at))
            change = partial(augmented, random=random) if self._settings.augment else None
            samples.append(self._encoder.encode(self._split.learnt[at].input, change))
        return samples

    def _encode_held_out(self, chosen: Sequence[int]) -> list[EncodedSample]:
        return [self._encoder.encode(self._split.held_out[at].input) for at in chosen]

    def _indices(self, examples: Sequence[TrainingExample]) -> NDArray[np.int64]:
        index = {label: at for at, label in enumerate(self._encoder.prompt.task.labels)}
        return np.array([index[example.label] for example in examples], dtype=np.int64)

    def _count_tokens(self, examples: Sequence[TrainingExample]) -> list[int]:
        return [len(self._encoder.lay_out(example.input).token_ids) for example in examples]

    def _put_back(self, weights: Mapping[str, Any]) -> None:
        import torch

        with torch.no_grad():
            for name, each in self._weights.items():
                each.copy_(weights[name])


def _copied(weights: Mapping[str, Any]) -> dict[str, Any]:
    return {name: each.detach().cpu().clone() for name, each in weights.items()}
