"""Replicas over threads: every one once, progress, and an end to all when one fails."""

import threading

import pytest

from tsphys.runs.replicas import available_threads, over_replicas, thread_count


@pytest.mark.parametrize("threads", [1, 3])
def test_every_replica_is_done_once(threads):
    done, fractions = {}, []
    over_replicas(
        lambda r, report: (report(0.5), report(1.0), r * r)[-1],
        range(10),
        threads=threads,
        progress=fractions.append,
        finished=done.__setitem__,
    )
    assert done == {r: r * r for r in range(10)}
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_replicas_are_handed_out_several_at_once():
    some, done, fractions = [], {}, []

    def work(replicas, report):
        some.append(list(replicas))
        report(0.5)
        return [r * r for r in replicas]

    over_replicas(work, range(10), threads=2, at_once=4, progress=fractions.append, finished=done.__setitem__)
    assert sorted(some) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert done == {r: r * r for r in range(10)}
    assert fractions[-1] == 1.0


def test_one_failure_stops_the_others():
    started = []
    release = threading.Event()

    def work(r, report):
        started.append(r)
        if r == 0:
            release.set()
            raise RuntimeError("replica 0")
        release.wait(10)
        while True:
            report(0.5)
            threading.Event().wait(0.01)

    with pytest.raises(RuntimeError, match="replica 0"):
        over_replicas(work, range(50), threads=2)
    assert len(started) < 10


def test_threads_are_all_cores_by_default():
    assert thread_count(None) == available_threads() >= 1
    assert thread_count(7) == 7
