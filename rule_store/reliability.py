"""Reliability: what share of a rule's firings is right, judged by firings it was not mined on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rule_store import beta
from rule_store.predicates import Reaches
from rule_store.rules import Rule

FEATURES = (
    "log right",
    "log 1 + wrong",
    "Wilson bound",
    "literals",
    "negated literals",
    "facts",
    "log-odds of the label",
    "recall",
)
"""What a rule's reliability is predicted from; in the order of `features`."""

# Two-sided 95 %.
_TAIL = 0.025
# Digits that estimates keep: sums may differ beyond them between machines, releases must not.
_DIGITS = 6
# How many firings a prior may be worth, half a doubling apart. Below 1 a rule would be all right
# or all wrong; above 1024 no rule fires often enough to tell.
STRENGTHS: tuple[float, ...] = tuple(2.0 ** (half / 2) for half in range(21))
_ROUNDS = 4
# What is known of written rules before any of them fired: as if one had, ten times, nine of them
# right. Without it no firing at all, or a handful that were right, would make all of them certain.
_WRITTEN = (9, 1)
_MEANS = tuple(percent / 100 for percent in range(1, 100))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingCounts:
    """How a rule did on the examples it was mined on: what misleads when taken as it is.

    right, wrong: examples that it covers, of its label and of others.
    positives: examples of its label.
    examples: all.
    """

    right: int
    wrong: int
    positives: int
    examples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutFirings:
    """A rule as it was mined without a fold, and what it did on that fold.

    fired: examples of the fold that it covers. right: of them, those of its label.
    """

    rule: Rule
    training: TrainingCounts
    fired: int
    right: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedReliability:
    """The share of a rule's firings that is right, and where it lies with 95 % probability."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityModel:
    """Predicts the reliability of a mined rule from how it was mined.

    intercept, weights: of a logistic model on `FEATURES`.
    strength: how many firings of its own a prediction is worth: the higher, the closer the
        rules are to what is predicted of them, and the better the weights are known.
    examples: how many the rules were mined on that it was fitted to; the mean.
    """

    intercept: float
    weights: tuple[float, ...]
    strength: float
    examples: float

    def predict(self, rule: Rule, training: TrainingCounts) -> float:
        """Predict the reliability of a rule that was mined on as many examples, or on more.

        Of more examples the same rule covers more, without being any better; but a better rule is
        found, too. Counts are taken halfway, as of √(n · m) examples: taken at m, predictions are
        too high on the Taobao data, and at n too low.
        """
        scale = math.sqrt(self.examples / training.examples) if training.examples else 1.0
        values = features(rule, training, scale=scale)
        logit = self.intercept + math.fsum(
            weight * value for weight, value in zip(self.weights, values, strict=True)
        )
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, logit))))

    def value(self, rule: Rule, training: TrainingCounts) -> float:
        """The value of `reliability`; the interval is what costs."""
        return posterior_mean(self.predict(rule, training), self.strength)

    def reliability(self, rule: Rule, training: TrainingCounts) -> FittedReliability:
        """Predict, with the interval in which rules like this one lie.

        The rule's own held-out firings are not counted in: the final mining chose the rule on
        those very examples, and would be believed for having chosen well.
        """
        return posterior(self.predict(rule, training), self.strength)


def features(rule: Rule, training: TrainingCounts, *, scale: float = 1.0) -> tuple[float, ...]:
    """The values of `FEATURES`, with all counts multiplied by the scale."""
    right, wrong = scale * training.right, scale * training.wrong
    others = training.examples - training.positives
    return (
        math.log(max(1.0, right)),
        math.log1p(wrong),
        wilson_bound(right, right + wrong),
        float(len(rule.body)),
        float(sum(literal.negated for literal in rule.body)),
        float(sum(isinstance(literal.predicate, Reaches) for literal in rule.body)),
        math.log((training.positives + 0.5) / (others + 0.5)),
        training.right / max(1, training.positives),
    )


def wilson_bound(right: float, tried: float, *, z: float = 1.0) -> float:
    """A careful share: z standard errors down; 0 of nothing tried.

    >>> wilson_bound(4, 4), wilson_bound(3, 4, z=0.0), wilson_bound(0, 0)
    (0.8, 0.75, 0.0)

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    if not tried:
        return 0.0
    share, room = right / tried, z * z / tried
    error = z * math.sqrt(share * (1.0 - share) / tried + room / (4.0 * tried))
    return (share + room / 2.0 - error) / (1.0 + room)


def posterior_mean(mean: float, strength: float, *, right: int = 0, wrong: int = 0) -> float:
    """The value of `posterior`."""
    above, below = strength * mean + right, strength * (1.0 - mean) + wrong
    return round(above / (above + below), _DIGITS)


def posterior(mean: float, strength: float, *, right: int = 0, wrong: int = 0) -> FittedReliability:
    """What is believed of a rule after firings of its own.

    Args:
        mean: what was believed before, in (0, 1).
        strength: how many firings that is worth.
        right: own firings that were right.
        wrong: own firings that were not.

    Returns:
        The mean of Beta(strength · mean + right, strength · (1 - mean) + wrong) and its middle
        95 %, to six decimals.

    >>> posterior(0.5, 2.0, right=8, wrong=0)
    FittedReliability(value=0.9, low=0.663733, high=0.997191)
    """
    above, below = strength * mean + right, strength * (1.0 - mean) + wrong
    return FittedReliability(
        value=posterior_mean(mean, strength, right=right, wrong=wrong),
        low=round(beta.quantile(_TAIL, above, below), _DIGITS),
        high=round(beta.quantile(1.0 - _TAIL, above, below), _DIGITS),
    )


def fit_strength(outcomes: Sequence[tuple[int, int]], means: Sequence[float]) -> float:
    """How many firings the means are worth, by the likelihood of what came.

    Before anything came all `STRENGTHS` are equally likely; the result spreads rules as widely as
    these do, each as likely as what came makes it. So few rules never make a mean certain.

    Args:
        outcomes: right and wrong held-out firings of each rule.
        means: what was predicted of each, in (0, 1).
    """
    logs = [beta.log_likelihood(outcomes, means, each) for each in STRENGTHS]
    best = max(logs)
    likely = [math.exp(each - best) for each in logs]
    # A rule's variance around the mean m is m (1 - m) / (strength + 1).
    spread = math.fsum(p / (each + 1.0) for p, each in zip(likely, STRENGTHS, strict=True))
    return math.fsum(likely) / spread - 1.0


def written_reliabilities(
    firings: Mapping[str, tuple[int, int]],
) -> dict[str, FittedReliability]:
    """Judge rules that were written, not mined: every labelled example is held out from them.

    What is believed of any of them before it fired is fitted to all of them together, and is worth
    no more than their firings; a rule that never fired has that reliability.

    Args:
        firings: rule id → firings that were right and that were wrong.

    Source: empirical Bayes with a beta-binomial model, as in Casella 1985, "An introduction to
    empirical Bayes data analysis".
    """
    outcomes = [firings[rule_id] for rule_id in sorted(firings)]
    mean, strength = _prior(outcomes)
    return {
        rule_id: posterior(mean, strength, right=right, wrong=wrong)
        for rule_id, (right, wrong) in firings.items()
    }


def _prior(outcomes: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """Mean and strength of the Beta distribution that rules' reliabilities are drawn from.

    Each is fitted with the other as it stands; they settle within a few rounds.
    """
    known = [*outcomes, _WRITTEN]
    fired = sum(map(sum, known))
    mean, strength = sum(right for right, _ in known) / fired, 1.0
    for _ in range(_ROUNDS):
        strength = min(fit_strength(known, [mean] * len(known)), float(fired))
        logs = [beta.log_likelihood(known, [each] * len(known), strength) for each in _MEANS]
        mean = _MEANS[logs.index(max(logs))]
    return mean, strength
