"""What `mutate` asks of the processes that try mutants, and what they answer. Apart from `trial`, which needs the test tools."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Job:
    """By `errors` and `words` tests are put in order; `skipped` fail with every check in place; with `to_the_end` all are run."""

    folder: str
    errors: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    to_the_end: bool = False
    # What each test took with every check in place.
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """`failed` holds the first test that failed, or all; `seconds` what each took."""

    failed: tuple[str, ...]
    seconds: dict[str, float]
