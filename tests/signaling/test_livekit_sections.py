from signaling.livekit_sections import SectionDemand, Sections


def answered(complete=False):
    demand = SectionDemand()
    demand.offer_arrived()
    demand.answered(complete=complete)
    return demand


def test_before_its_first_offer_a_client_is_asked_for_nothing():
    demand = SectionDemand()
    demand.need(Sections(1, 1))
    assert demand.take() is None


def test_what_was_asked_for_is_not_asked_for_again():
    demand = answered()
    demand.need(Sections(0, 1))
    assert demand.take() == Sections(0, 1)
    assert demand.take() is None
    demand.need(Sections(0, 1))
    assert demand.take() is None
    demand.need(Sections(1, 3))
    assert demand.take() == Sections(1, 2)


def test_the_last_report_counts():
    demand = answered()
    demand.need(Sections(0, 1))
    demand.need(Sections(0, 2))
    assert demand.take() == Sections(0, 2)


def test_an_offer_with_the_present_sections_can_be_asked_for():
    demand = answered()
    demand.need(Sections())
    assert demand.take() == Sections()
    demand.need(Sections())
    assert demand.take() is None


def test_while_an_offer_is_answered_everything_waits():
    demand = answered()
    demand.offer_arrived()
    demand.need(Sections(0, 1))
    assert demand.take() is None
    demand.answered(complete=False)
    assert demand.take() == Sections(0, 1)


def test_a_report_that_the_answer_made_good_is_forgotten():
    demand = answered()
    demand.offer_arrived()
    demand.need(Sections(0, 1))
    demand.answered(complete=True)
    assert demand.take() is None


def test_after_an_offer_the_same_may_be_asked_for_again():
    demand = answered()
    demand.need(Sections(0, 1))
    assert demand.take() == Sections(0, 1)
    demand.offer_arrived()
    demand.answered(complete=False)
    demand.need(Sections(0, 1))
    assert demand.take() == Sections(0, 1)


def test_a_refused_offer_blocks_nothing():
    demand = answered()
    demand.offer_arrived()
    demand.refused()
    demand.need(Sections(1, 0))
    assert demand.take() == Sections(1, 0)
