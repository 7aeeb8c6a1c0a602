"""`xorj program mutate`: shows of every check in the vault program that a test notices when it is gone."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue

from xorj.cli.mutants.job import Answer, Job
from xorj.cli.mutants.schemata import Case, cases, change_copy, read_list, switched_on

VAULT = "xorj_vault"
# Which test noticed each mutant when it was last tried: where the next run begins, and what an auditor may read.
NOTICED = Path("programs", "vault", "noticed.json")
_HUNK = re.compile(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@", re.MULTILINE)


class MutationImpossible(Exception):
    """There is nothing to say about the checks: a list that does not fit, a build or a test suite that fails without any mutant."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One case and the test that noticed it; `caught_by` is empty when none did. `line` is `file:line`."""

    case: str
    line: str
    caught_by: str
    seconds: float


def table(verdicts: Sequence[Verdict]) -> str:
    """How many cases each file has, how many were caught, and how long that took."""
    by_file: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        by_file.setdefault(verdict.line.split(":", 1)[0], []).append(verdict)
    lines = [f"{'file':<45} {'cases':>6} {'caught':>7} {'seconds':>8}"]
    for file, those in [*sorted(by_file.items()), ("together", list(verdicts))]:
        caught = sum(bool(each.caught_by) for each in those)
        lines.append(f"{file:<45} {len(those):>6} {caught:>7} {sum(each.seconds for each in those):>8.0f}")
    return "\n".join(lines)


class Worker:
    """One process that tries mutants one after the other."""

    def __init__(self, root: Path) -> None:
        tests = root / "tests" / "program"
        # Units and size are those of the shipped file; one that holds every mutant has others.
        figures = f"--ignore={tests / 'test_compute_units.py'}"
        command = [sys.executable, "-m", "xorj.cli.mutants.trial", str(tests), figures]
        self._process = subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, job: Job) -> Answer:
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: PT018
        self._process.stdin.write(json.dumps(asdict(job)) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline() or '{"error": "the process that tries mutants has ended"}')
        if "error" in answer:
            raise MutationImpossible(answer["error"])
        return Answer(tuple(answer["failed"]), answer["seconds"], answer["is_cut_short"])

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


def mutate(
    root: Path,
    build: Callable[[Path], Path],
    files: dict[str, Path],
    *,
    changed_since: str | None,
    only: Sequence[str],
    jobs: int,
    told: Callable[[str], None],
) -> list[Verdict]:
    """Tries every case whose name holds one of `only`, with `changed_since` those alone that the changes to that revision touch.

    `build` makes the vault's file from a changed workspace; `files` are the other programs that the tests load. Which test noticed what is
    written down in `NOTICED`. Raises MutationImpossible.
    """
    # Always at the same place, so that what did not change is not built again.
    copy = root / "programs" / "target" / "mutants" / "programs"
    shutil.rmtree(copy, ignore_errors=True)
    every = _cases(root, copy)
    chosen = _chosen(root, every, changed_since, only)
    if not chosen:
        return []
    noticed = Noticed.read(root / NOTICED, {case.name for case in every})
    told(f"{len(chosen)} cases; building the one program that holds them all")
    program = build(copy).read_bytes()
    with tempfile.TemporaryDirectory(prefix="xorj-mutants-") as folder, ThreadPoolExecutor(jobs) as pool:
        workers = [Worker(root) for _ in range(jobs)]
        try:
            verdicts = []
            for verdict in _verdicts(chosen, program, Stage(Path(folder), files), workers, pool, noticed.by_case, told):
                noticed.note(verdict)
                verdicts.append(verdict)
            return verdicts
        finally:
            for worker in workers:
                worker.close()


class Noticed:
    """The file that says which test noticed each mutant last. Of mutants that are no more nothing is kept."""

    def __init__(self, path: Path, by_case: dict[str, str]) -> None:
        self.path = path
        self.by_case = by_case

    @classmethod
    def read(cls, path: Path, known: Set[str]) -> "Noticed":
        stored = json.loads(path.read_text()) if path.exists() else {}
        return cls(path, {case: test for case, test in stored.items() if case in known})

    def note(self, verdict: Verdict) -> None:
        """Writes it down at once: a long run that is ended has not been for nothing."""
        self.by_case.pop(verdict.case, None)
        if verdict.caught_by:
            self.by_case[verdict.case] = verdict.caught_by
        self.path.write_text(json.dumps(dict(sorted(self.by_case.items())), indent=1) + "\n")


def _cases(root: Path, copy: Path) -> list[Case]:
    listed = read_list(root / "programs")
    try:
        return cases(change_copy(root / "programs", copy, listed.extra), listed)
    except ValueError as error:
        raise MutationImpossible(str(error)) from error


def _chosen(root: Path, every: Sequence[Case], changed_since: str | None, only: Sequence[str]) -> list[Case]:
    chosen = [case for case in every if not only or any(part in case.name for part in only)]
    if changed_since is None:
        return chosen
    lines = changed_lines(root, changed_since)
    return [
        case
        for case in chosen
        if any(lines.get(each.file, set()) & set(range(each.first_line, each.last_line + 1)) for each in case.mutants)
    ]


def changed_lines(root: Path, revision: str) -> dict[str, set[int]]:
    """The lines of the vault's source that are not as in `revision`, by file. Raises MutationImpossible when git does not know it."""
    source = Path("programs", "vault", "src")
    command = ["git", "diff", "--unified=0", "--no-color", revision, "--", str(source)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MutationImpossible(done.stderr.strip())
    found: dict[str, set[int]] = {}
    for part in done.stdout.split("\n+++ ")[1:]:
        name = Path(part.split("\n", 1)[0].removeprefix("b/"))
        if name.is_relative_to(source):
            hunks = ((int(first), int(count or 1)) for first, count in _HUNK.findall(part))
            found[name.relative_to(source).as_posix()] = {line for first, count in hunks for line in range(first, first + max(count, 1))}
    return found


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the files of a trial are laid out."""

    folder: Path
    files: dict[str, Path]

    def lay_out(self, name: str, vault: bytes) -> str:
        at = self.folder / name
        at.mkdir()
        for each, path in self.files.items():
            shutil.copyfile(path, at / f"{each}.so")
        (at / f"{VAULT}.so").write_bytes(vault)
        return str(at)


def _verdicts(
    chosen: Sequence[Case],
    program: bytes,
    stage: Stage,
    workers: Sequence[Worker],
    pool: ThreadPoolExecutor,
    noticed: Mapping[str, str],
    told: Callable[[str], None],
) -> Iterator[Verdict]:
    free: SimpleQueue[Worker] = SimpleQueue()
    for worker in workers:
        free.put(worker)
    told("running the tests on it with every check in place")
    whole = workers[0].ask(Job(stage.lay_out("whole", program), to_the_end=True))
    if whole.is_cut_short:
        # What was not tried could fail for another reason than a mutant, and would be taken for the test that noticed.
        raise MutationImpossible(f"the tests did not come to their end with every check in place; the last was {whole.failed[-1]}")
    if len(whole.failed) * 2 > len(whole.seconds):
        raise MutationImpossible(f"most tests fail with every check in place: {', '.join(whole.failed[:5])}")
    for test in whole.failed:
        told(f"left out, fails with every check in place: {test}")

    def one(numbered: tuple[int, Case]) -> Verdict:
        number, case = numbered
        folder = stage.lay_out(str(number), switched_on(program, case))
        worker = free.get()
        began = time.monotonic()
        try:
            first = noticed.get(case.name, "")
            answer = worker.ask(Job(folder, _errors(case), _words(case), whole.failed, first=first, seconds=whole.seconds))
        finally:
            free.put(worker)
            shutil.rmtree(folder)
        mutant = case.mutants[0]
        verdict = Verdict(case.name, f"{mutant.file}:{mutant.first_line}", "".join(answer.failed[:1]), time.monotonic() - began)
        told(f"{verdict.line}  {verdict.case}\n    {verdict.caught_by or 'NOT CAUGHT'}")
        return verdict

    yield from pool.map(one, enumerate(chosen))


def _errors(case: Case) -> tuple[str, ...]:
    return tuple(dict.fromkeys(error for mutant in case.mutants for error in mutant.errors))


def _words(case: Case) -> tuple[str, ...]:
    """The instruction's file and the function, as tests may name them."""
    words = [word for mutant in case.mutants for word in (Path(mutant.file).stem, mutant.function)]
    return tuple(dict.fromkeys(words))
