"""Payloads that are truncated, changed or mixed: a joiner reads them or raises PayloadError, and nothing else."""

import random

from recording.values import PayloadError


def try_broken(make, payloads, rounds=400, seed=1):
    """Give a joiner broken forms of good payloads; how many it refused."""
    randomness = random.Random(seed)
    refused = 0
    for _ in range(rounds):
        broken = [bytearray(payload) for payload in payloads]
        for _ in range(randomness.randint(1, 3)):
            which = randomness.choice(broken)
            kind = randomness.randrange(4)
            if kind == 0:
                del which[randomness.randrange(len(which) + 1) :]
            elif kind == 1 and which:
                which[randomness.randrange(min(len(which), 40))] = randomness.randrange(256)
            elif kind == 2 and len(broken) > 1:
                broken.remove(which)
            else:
                randomness.shuffle(broken)
        try:
            make().join([bytes(payload) for payload in broken])
        except PayloadError:
            refused += 1
    return refused
