"""A log that repeats itself is cut short, and says so."""

import logging

from streams.log_flood import FloodFilter


def record(sentence: str, *fields: object, name: str = "client") -> logging.LogRecord:
    return logging.LogRecord(name, logging.ERROR, "", 0, sentence, fields, None)


def test_a_sentence_passes_a_few_times_in_each_span_whatever_its_fields() -> None:
    clock = [0.0]
    flood = FloodFilter(times=2, span_s=60, now_s=lambda: clock[0])
    assert [flood.filter(record("no answer from %s", n)) for n in range(5)] == [
        True,
        True,
        False,
        False,
        False,
    ]
    clock[0] = 60.0
    after = record("no answer from %s", 5)
    assert flood.filter(after)
    assert after.getMessage() == "no answer from 5 (and 3 times more before)"
    assert flood.filter(record("no answer from %s", 6))
    assert not flood.filter(record("no answer from %s", 7))


def test_sentences_and_loggers_do_not_share_a_bound() -> None:
    flood = FloodFilter(times=1, now_s=lambda: 0.0)
    assert flood.filter(record("one"))
    assert flood.filter(record("two"))
    assert flood.filter(record("one", name="other"))
    assert not flood.filter(record("one"))
