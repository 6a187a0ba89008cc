"""Tests; `tests.factories`, `tests.fakes` and `tests.system` are shared."""
