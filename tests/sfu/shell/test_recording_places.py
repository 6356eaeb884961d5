"""Where recordings are made when rooms and workers come and go."""

from sfu.shell.recording_places import RecordingPlaces


def test_a_recording_stays_where_its_room_is():
    places = RecordingPlaces()
    assert places.add("r", "maths", "w1")
    assert not places.add("r", "maths", "w2")
    assert places.worker_of_room("maths") == "w1"
    assert places.worker_of_room("art") is None
    assert list(places.settle("maths", "w1")) == list(places.settle("art", "w2")) == []


def test_a_recording_whose_worker_ended_goes_on_where_people_meet_again():
    places = RecordingPlaces()
    places.add("r", "maths", "w1")
    places.get("r").paused = True
    places.lost("w1")
    assert places.worker_of_room("maths") is None
    ((place, before),) = places.settle("maths", "w2")
    assert (place.recording_id, place.worker, place.paused, before) == ("r", "w2", True, None)
    assert list(places.settle("maths", "w2")) == []


def test_a_recording_moves_with_its_room():
    places = RecordingPlaces()
    places.add("r", "maths", "w1")
    ((place, before),) = places.settle("maths", "w2")
    assert (place.worker, before) == ("w2", "w1")


def test_what_is_stopped_is_forgotten():
    places = RecordingPlaces()
    places.add("r", "maths", None)
    assert places.remove("r").room_id == "maths"
    assert places.remove("r") is None
    assert places.get("r") is None
    assert places.add("r", "maths", "w1")
