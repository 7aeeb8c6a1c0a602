"""The process that tries mutants: pytest with the program's tests collected once, and one fork for each mutant. Started by `mutate`.

It reads one job a line from its input and answers each with one line. A job names the folder of program files that the tests load, and
words of the check, by which the tests are put in order; the run ends at the first test that fails.
"""

import inspect
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, TextIO

import pytest
from hypothesis import HealthCheck, Phase, settings

from xorj.cli.mutants.job import Answer, Job

FOLDER = "XORJ_PROGRAM_FILES"
TRIAL_TIMEOUT_S = 600
# With every check in place all tests are run, on whatever machine.
WHOLE_TIMEOUT_S = 3_600
_PROFILE = "mutants"
# By these a test that has caught many, or takes long, is not put before all others.
_CAUGHT_COUNTED_MAX = 3
_SECONDS_OF_ANY = 0.1
_HOPE_OF_ANY = 0.3


class Trials:
    """A pytest plugin whose run loop takes jobs."""

    def __init__(self, jobs: TextIO, answers: TextIO) -> None:
        self._jobs, self._answers = jobs, answers
        self._texts: dict[str, str] = {}
        self._caught: Counter[str] = Counter()
        self._has_failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._has_failed |= report.failed

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            self._say({"error": "the tests cannot be collected"})
            return True
        for item in session.items:
            function = getattr(item, "function", None)
            self._texts[item.nodeid] = item.nodeid + (inspect.getsource(function) if function else "")
        for line in self._jobs:
            job = Job(**json.loads(line))
            answer = self._try(job, self._order(job, session.items))
            if not job.to_the_end:
                self._caught.update(answer.failed[:1])
            self._say(asdict(answer))
        return True

    def _say(self, answer: dict[str, Any]) -> None:
        self._answers.write(json.dumps(answer) + "\n")
        self._answers.flush()

    def _order(self, job: Job, items: Sequence[pytest.Item]) -> list[pytest.Item]:
        """First what is likely to notice for its time: tests that name the check's errors or words, and those that have noticed others."""
        skipped = set(job.skipped)

        def weight(item: pytest.Item) -> tuple[bool, bool, float]:
            text = self._texts[item.nodeid]
            named = 2 * sum(error in text for error in job.errors) + sum(word in text for word in job.words)
            hope = _HOPE_OF_ANY + named + min(self._caught[item.nodeid], _CAUGHT_COUNTED_MAX)
            is_slow = item.get_closest_marker("slow") is not None
            return item.nodeid != job.first, is_slow, -hope / (_SECONDS_OF_ANY + job.seconds.get(item.nodeid, 0.0))

        return sorted((item for item in items if item.nodeid not in skipped), key=weight)

    def _try(self, job: Job, items: Sequence[pytest.Item]) -> Answer:
        """In a fork, so that nothing of it is left. A test that kills its process, or never ends, has noticed too."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            os.environ[FOLDER] = job.folder
            with os.fdopen(writing, "w") as told:
                self._run(items, told, to_the_end=job.to_the_end)
            os._exit(0)
        os.close(writing)
        signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
        signal.alarm(WHOLE_TIMEOUT_S if job.to_the_end else TRIAL_TIMEOUT_S)
        with os.fdopen(reading) as heard:
            lines = [json.loads(line) for line in heard]
        signal.alarm(0)
        os.waitpid(child, 0)
        failed = [each["test"] for each in lines if each.get("failed")]
        is_cut_short = bool(lines) and "failed" not in lines[-1]
        if is_cut_short:
            failed.append(lines[-1]["test"])
        return Answer(tuple(failed), {each["test"]: each["seconds"] for each in lines if "seconds" in each}, is_cut_short)

    def _run(self, items: Sequence[pytest.Item], told: TextIO, *, to_the_end: bool) -> None:
        for item in items:
            told.write(json.dumps({"test": item.nodeid}) + "\n")
            told.flush()
            began, self._has_failed = time.monotonic(), False
            item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
            told.write(json.dumps({"test": item.nodeid, "failed": self._has_failed, "seconds": time.monotonic() - began}) + "\n")
            told.flush()
            if self._has_failed and not to_the_end:
                return


def main() -> None:
    """Arguments are what to collect, as pytest takes them."""
    answers = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    # What is found first is enough: making it smaller would take most of the time.
    settings.register_profile(_PROFILE, database=None, phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck))
    settings.load_profile(_PROFILE)
    pytest.main(["-s", "-p", "no:cacheprovider", "-p", "no:xdist", *sys.argv[1:]], plugins=[Trials(sys.stdin, answers)])


if __name__ == "__main__":
    main()
