from sfu.receiving.encodings import COMING_S, OFF_S, WantedLayers

ALL = (0, 1, 2)


def wanted(*layers):
    return frozenset(layers)


def test_only_a_change_is_told():
    layers = WantedLayers(3)
    assert not layers.update(wanted(*ALL), ALL, 0)
    assert layers.update(wanted(2), ALL, 1)
    assert not layers.update(wanted(2), ALL, 2)
    assert layers.update(wanted(0, 2), [2], 3)
    assert layers.told == {0, 2}


def test_a_screen_that_nobody_watches_is_left_to_those_who_know_about_subscriptions():
    layers = WantedLayers(3)
    assert not layers.update(wanted(), ALL, 0)
    assert layers.told == set(ALL)


def test_a_layer_that_was_switched_off_may_come_and_one_that_was_never_sent_may_not():
    layers = WantedLayers(3)
    assert not layers.may_come(0)  # all are wanted: what does not arrive is not sent
    layers.update(wanted(2), ALL, 1)
    assert layers.may_come(0)
    assert not layers.may_come(2)


def test_a_layer_that_does_not_come_when_it_is_asked_for_is_given_up_until_it_arrives():
    layers = WantedLayers(3)
    layers.update(wanted(2), ALL, 1)
    layers.update(wanted(0, 2), [2], 10)
    assert layers.may_come(0)
    layers.update(wanted(0, 2), [2], 10 + COMING_S + 0.1)
    assert not layers.may_come(0)
    layers.update(wanted(2), [2], 20)
    assert not layers.may_come(0)
    layers.update(wanted(2), [0, 2], 21)
    assert layers.may_come(0)


def test_a_layer_that_came_in_time_is_not_given_up():
    layers = WantedLayers(2)
    layers.update(wanted(1), [0, 1], 1)
    layers.update(wanted(0), [1], 10)
    layers.update(wanted(0), [0, 1], 11)
    layers.update(wanted(0), [0], 11 + COMING_S)
    layers.update(wanted(1), [0], 20)
    assert layers.may_come(0)


def test_a_layer_is_off_once_it_is_silent_and_not_wanted():
    layers = WantedLayers(2)
    layers.update(wanted(1), [0, 1], 1)
    assert [layers.is_off(spatial, 2 * OFF_S) for spatial in (0, 1)] == [True, False]
    assert not layers.is_off(0, OFF_S / 2)
