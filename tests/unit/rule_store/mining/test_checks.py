from rule_store import CHANNELS, FACTS, Evidence
from rule_store.mining.checks import check_examples
from rule_store.mining.table import LabelledEvidence

READ = Evidence(texts=dict.fromkeys(CHANNELS, ""), facts=dict.fromkeys(FACTS, 0.0))


def examples(*given: tuple[str, str], evidence: Evidence = READ) -> list[LabelledEvidence]:
    return [
        LabelledEvidence(example_id=name, label=label, evidence=evidence) for name, label in given
    ]


GOOD = examples(("g1", "track"), ("g2", "track"), ("g3", "refund"), ("g4", "refund"))
LABELS = ("track", "refund")


def test_good_examples_pass_in_order_and_in_silence() -> None:
    assert check_examples(GOOD, LABELS) == (tuple(GOOD), ())


def test_an_unknown_label_is_left_out_with_its_cure() -> None:
    given = [*GOOD, *examples(("e1", "trak"), ("e2", "trak"))]

    assert check_examples(given, LABELS) == (
        tuple(GOOD),
        (
            'unknown label "trak" (did you mean "track"?) (2 examples: "e1", "e2"): left out; add '
            'it to the domain pack or correct it to one of "track", "refund"',
        ),
    )


def test_unknown_labels_are_one_sentence() -> None:
    given = [*GOOD, *examples(*((f"e{n}", f"x{n % 7}") for n in range(8)))]

    assert check_examples(given, LABELS) == (
        tuple(GOOD),
        (
            'unknown label "x0", "x1", "x2", "x3", "x4" and 2 more (8 examples: "e0", "e1", "e2", '
            '"e3", "e4" and 3 more): left out; add it to the domain pack or correct it to one of '
            '"track", "refund"',
        ),
    )


def test_an_id_with_several_labels_is_left_out_altogether() -> None:
    given = [*GOOD, *examples(("e1", "track"), ("e1", "refund"))]

    assert check_examples(given, LABELS) == (
        tuple(GOOD),
        ('example "e1" has the labels "track", "refund": left out; keep the right one',),
    )


def test_an_example_given_twice_is_taken_once() -> None:
    given = [*GOOD, GOOD[0]]

    assert check_examples(given, LABELS) == (
        tuple(GOOD),
        ('given more than once (1 example: "g1"): taken once; remove the others',),
    )


def test_an_example_with_an_unread_screen_is_left_out() -> None:
    unread = Evidence(texts={"last": "where"}, facts={"turns": 1})

    assert check_examples([*GOOD, *examples(("e1", "track"), evidence=unread)], LABELS) == (
        tuple(GOOD),
        ('screen unread (1 example: "e1"): left out; give the images or their readings',),
    )


def test_labels_with_no_example_or_one_are_said_and_change_nothing() -> None:
    usable, messages = check_examples(GOOD[:3], ("track", "refund", "other"))

    assert usable == tuple(GOOD[:3])
    assert messages == (
        'no example of "other": no rule can be mined for it; label some, or write rules into the '
        "domain pack",
        'one example of "refund": no rule for it can be tested on another; label more',
    )


def test_nothing_usable_is_one_sentence() -> None:
    assert check_examples([], LABELS) == ((), ("no example is left to mine; label some",))


def test_long_lists_are_cut() -> None:
    given = [*GOOD, *examples(*((f"e{n}", "lost") for n in range(7)))]

    _, (message,) = check_examples(given, LABELS)

    assert '(7 examples: "e0", "e1", "e2", "e3", "e4" and 2 more)' in message
