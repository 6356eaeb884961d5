from signaling.teaching import names


def test_rooms_of_sessions_are_sealed_and_no_other_room_is_theirs():
    session = names.new_id(names.PREFIX)
    for name in (names.room_name(session), names.room_name(session, "one")):
        config = names.room_config(name)
        assert (names.session_of(name), config.id, config.sealed) == (session, session, True)
    for other in ("maths", "ses_short", f"x{session}", session.upper()):
        assert names.session_of(other) is None
        assert names.room_config(other) is None


def test_derived_ids_are_the_same_each_time_and_differ_by_each_part():
    made = {
        names.derived_id("m_", *parts) for parts in (("a", "b"), ("a", "b"), ("ab",), ("a", "c"), ("", "ab"))
    }
    assert len(made) == 4
    assert names.session_of(names.derived_id(names.PREFIX, "a")) is not None
