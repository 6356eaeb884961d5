"""The short form of the benchmarks: what it makes of ratios, and the ratios of this checkout."""

import json

import pytest

from bench.short import CASES, RECORDED, compare


def test_a_case_that_stays_dear_is_told_and_a_moment_of_noise_is_not(capsys):
    noisy, dear = iter([9.0, 2.5]), iter([2.9, 2.7, 2.8, 2.9, 2.9])
    assert compare({"a": lambda: next(noisy), "b": lambda: next(dear)}, {"a": 2.0, "b": 2.0}) == [
        "b: 2.70 times the floor, recorded 2.00"
    ]
    assert "a: 2.50 times the floor" in capsys.readouterr().out


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", CASES)
def test_nothing_became_a_third_dearer_than_was_recorded(name):
    recorded = json.loads(RECORDED.read_text())
    assert sorted(recorded) == sorted(CASES)
    assert compare({name: CASES[name]}, recorded) == []
