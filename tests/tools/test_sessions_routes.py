from tools import sessions_routes


def test_the_routes_are_those_of_the_code():
    # If this fails: python tools/sessions_routes.py
    text = sessions_routes.DOCUMENT.read_text()
    assert sessions_routes.renewed(text) == text
    assert "| `POST /sessions/{session}/polls/{poll}/answer` | `options`?, `rating`?, `text`? |" in text


def test_every_route_says_what_it_does():
    rows = [line for line in sessions_routes.table().splitlines() if line.startswith("| `")]
    assert len(rows) > 100
    assert [row for row in rows if row.endswith("|  |")] == []
