"""Which connection ends for the sake of a new one."""

from signaling.http.connections import Connections, Use


class Net:
    """Connections by name; `ended` are those that the server closed."""

    def __init__(self, most):
        self.connections = Connections(most)
        self.ended = []

    def open(self, name, address="192.0.2.1", *, exempt=False, use=Use.IDLE):
        made = self.connections.admit(address, exempt=exempt, end=lambda: self.ended.append(name))
        if made is not None and use is not Use.IDLE:
            self.connections.use(made, use)
        return made


def test_the_oldest_silent_connection_of_an_address_ends_for_its_next_one():
    net = Net(most=12)  # three silent ones for each address
    for name in "abcd":
        assert net.open(name) is not None
    net.open("e", "192.0.2.2")
    assert net.ended == ["a"]
    assert len(net.connections) == 4


def test_a_school_of_participants_behind_one_address_is_not_counted():
    net = Net(most=1000)
    for number in range(600):
        net.open(number, use=Use.KNOWN)
    for number in range(250):
        net.open(number)
    assert net.ended == []


def test_a_proxy_has_no_share_but_its_part_of_all():
    net = Net(most=8)
    for number in range(8):
        net.open(number, exempt=True)
    assert net.ended == []
    net.open("more", exempt=True)
    assert net.ended == [0]


def test_who_holds_most_of_all_gives_way_first():
    net = Net(most=8)
    net.open("first", "192.0.2.2")
    for name in "abc":
        net.open(name, use=Use.BUSY)
    for name in "def":
        net.open(name, "192.0.2.3", exempt=True)
    net.open("last", "192.0.2.4")
    net.open("new", "192.0.2.5")
    assert net.ended == ["d"]


def test_requests_of_strangers_give_way_when_nobody_is_silent_and_participants_never():
    net = Net(most=4)
    for name in "ab":
        net.open(name, use=Use.KNOWN)
    for name in "cd":
        net.open(name, use=Use.BUSY)
    assert net.open("e", use=Use.KNOWN) is not None
    assert net.open("f", use=Use.KNOWN) is not None
    assert net.ended == ["c", "d"]
    assert net.open("g") is None
    assert not net.connections.make_room()


def test_what_is_closed_leaves_its_place_once():
    net = Net(most=4)
    opened = [net.open(name, use=use) for name, use in zip("abcd", [*Use, Use.IDLE], strict=True)]
    for each in opened:
        net.connections.closed(each)
        net.connections.closed(each)
        net.connections.use(each, Use.BUSY)  # the end of a request whose connection is gone
    assert len(net.connections) == 0
    assert not net.connections._idle_of
    assert all(net.open(name, use=Use.KNOWN) for name in "abcd")
