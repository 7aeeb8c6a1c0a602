"""What `mutate` asks of the processes that try mutants, and what they answer. Apart from `trial`, which needs the test tools."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Job:
    """`first` is tried first, then by `errors` and `words`; `skipped` fail with every check in place; with `to_the_end` all are run."""

    folder: str
    errors: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    to_the_end: bool = False
    # The test that noticed this mutant when it was last tried.
    first: str = ""
    # What each test took with every check in place.
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """`failed` holds the first test that failed, or all; `seconds` what each took. Cut short: the last of them killed its process."""

    failed: tuple[str, ...]
    seconds: dict[str, float]
    is_cut_short: bool = False
