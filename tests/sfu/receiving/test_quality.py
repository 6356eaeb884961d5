"""Losses in, a word out."""

import pytest

from sfu.receiving.quality import LossHistory, quality


@pytest.mark.parametrize(
    ("losses", "word"),
    [
        ((0.0, 0.0), "excellent"),
        ((0.019, 0.0), "excellent"),
        ((0.02, 0.0), "good"),
        ((0.0, 0.079), "good"),
        ((0.08, 0.0), "poor"),
        ((0.0, 1.0), "poor"),
    ],
)
def test_the_worse_direction_counts(losses, word):
    assert quality(*losses) == word


def test_one_bad_second_is_not_a_bad_connection_and_lasting_loss_is():
    losses = LossHistory()
    losses.add_fractions([13, 0])  # 5 %
    assert quality(losses.share) == "excellent"
    for _ in range(3):
        losses.add_fractions([26])  # 10 %
    assert quality(losses.share) == "good"
    for _ in range(10):
        losses.add_fractions([26])
    assert quality(losses.share) == "poor"
    for _ in range(20):
        losses.add_fractions([0])
    assert quality(losses.share) == "excellent"


def test_a_report_of_nothing_says_nothing():
    losses = LossHistory()
    losses.add_fractions([128])
    before = losses.share
    losses.add_fractions([])
    assert losses.share == before > 0
