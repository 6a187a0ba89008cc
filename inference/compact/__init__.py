"""The recipe that trains from nothing in a minute on a CPU: the embedded default."""

from inference.compact.recipe import RECIPE, train

__all__ = ["RECIPE", "train"]
