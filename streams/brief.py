"""Digests and ages, short enough for a sentence or a table."""

_DIGITS = 12
_AGES = (("s", 1, 120), ("min", 60, 7200), ("h", 3600, 172_800))


def brief(digest: str) -> str:
    """Enough of a digest to tell it from others.

    >>> brief("sha256:0123456789abcdef0123456789abcdef")
    '0123456789ab'
    """
    return digest.rpartition(":")[2][:_DIGITS]


def age(age_ms: int) -> str:
    """How old something is, in the unit that fits.

    >>> age(1500), age(600_000), age(90_000_000), age(864_000_000)
    ('1 s', '10 min', '25 h', '10 d')
    """
    age_s = max(0, age_ms) // 1000
    for unit, seconds, below_s in _AGES:
        if age_s < below_s:
            return f"{age_s // seconds} {unit}"
    return f"{age_s // 86_400} d"


def ago(age_ms: int) -> str:
    """How long ago something was.

    >>> ago(1500), ago(864_000_000)
    ('1 s ago', '10 d ago')
    """
    return f"{age(age_ms)} ago"
