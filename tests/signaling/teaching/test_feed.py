from signaling.teaching.feed import MAX_WAITING, Feed, FeedMessage


def message(seq):
    return FeedMessage("events", seq, b"{}")


async def test_what_was_asked_for_comes_before_the_news():
    feed = Feed("sam")
    feed.put(message(3))
    feed.put_first([message(1), message(2)])
    feed.end()
    assert [(await feed.next()).seq for _ in range(3)] == [1, 2, 3]
    assert await feed.next() is None
    feed.put(message(4))
    assert await feed.next() is None


async def test_a_feed_that_nobody_reads_ends():
    feed = Feed("sam")
    for seq in range(MAX_WAITING + 1):
        feed.put(message(seq))
    assert feed.overrun
    assert await feed.next() is None
