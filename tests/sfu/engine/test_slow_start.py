"""What a picture of a screen does to a link that has just become narrow, and to a free one; in simulated time."""

import pytest
from network import Link
from weak_lesson import Lesson, slides

FREE_BPS, NARROW_BPS, QUEUE_S = 50e6, 300e3, 0.3
# Less than a packet of video, more than one of audio with its redundancy.
AUDIO_BYTES = 450


class WatchedLink(Link):
    """A link that records its longest queue, and the sizes of dropped packets."""

    def __init__(self, *arguments, **values):
        super().__init__(*arguments, **values)
        self.longest_s = 0.0
        self.dropped_sizes = []

    def send(self, size, now):
        dropped = self.dropped
        at = super().send(size, now)
        self.longest_s = max(self.longest_s, self.waiting_s(now))
        if self.dropped > dropped:
            self.dropped_sizes.append(size)
        return at


def lesson(link, first_bytes):
    """A lesson whose second slide comes up at 9 s, to a student who reports arrivals each 50 ms."""
    held = Lesson(link, screen=slides(first_bytes))
    held.student.feedback_s = 0.05
    return held.until(8.99)


@pytest.mark.parametrize("change_s", [0.01, 0.1, 0.2, 0.3])
def test_a_picture_does_not_fill_the_queue_of_a_link_that_has_just_become_narrow(change_s):
    link = WatchedLink(FREE_BPS, delay_s=0.02, queue_s=QUEUE_S)
    held = lesson(link, 27_000)
    held.next_slide_at = 8.99 + change_s
    link.rate_bps = NARROW_BPS
    held.until(12)
    assert link.longest_s <= QUEUE_S
    assert link.dropped_sizes == []


def test_a_free_link_gets_a_picture_at_once_or_nearly_so():
    held = lesson(Link(FREE_BPS, delay_s=0.0025, queue_s=QUEUE_S), 60_000).until(60)
    times = held.legible_s(8.99, 60)
    assert len(times) == 6
    assert max(times) <= 0.25
    assert held.student.heard(9, 59) == (0, 0)
