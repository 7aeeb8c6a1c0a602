"""The bulk way: whole buckets to figures, on any workers, with no exchange between them. Run by the CLI's `--engine` and the bench."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from xorj.performance.kernel import Figures, figures_of
from xorj.performance.ports import LegReader, Workers


@dataclass(frozen=True, slots=True)
class Computed:
    """The figures of one bucket."""

    bucket: int
    figures: Figures


def compute_buckets(reader: LegReader, workers: Workers, *, per_task: int = 1, with_series: bool = False) -> Iterator[Computed]:
    """Every bucket's figures, in the order of the buckets, `per_task` of them at a time. Raises Unavailable."""
    buckets = reader.buckets()
    tasks = [tuple(buckets[at : at + per_task]) for at in range(0, len(buckets), per_task)]
    for done in workers.map(partial(compute_task, reader, with_series=with_series), tasks):
        yield from done


def compute_task(reader: LegReader, buckets: Sequence[int], *, with_series: bool = False) -> list[Computed]:
    """The task: it reads its buckets whole, one in memory at a time. The same buckets give the same figures, to the bit, anywhere."""
    done = []
    for at, bucket in enumerate(buckets):
        if at + 1 < len(buckets):
            reader.expect(buckets[at + 1])
        done.append(Computed(bucket, compute_bucket(reader, bucket, with_series=with_series)))
    return done


def compute_bucket(reader: LegReader, bucket: int, *, with_series: bool = False) -> Figures:
    """One bucket's figures, marked from the one price table."""
    prices = reader.price_table()
    return figures_of(reader.legs(bucket), prices.marks, prices.as_of, with_series=with_series, compile_legs_min=0)
