import re
from pathlib import Path

from classroom.features.session import TRANSITIONS
from tools import classroom_tables

README = Path(classroom_tables.README).read_text()


def test_the_tables_are_those_of_the_code():
    # If this fails: python tools/classroom_tables.py
    assert classroom_tables.renewed(README) == README


def test_every_event_and_command_has_a_sentence_in_its_table():
    for line in [*classroom_tables.events().splitlines(), *classroom_tables.commands().splitlines()]:
        assert line.count("|") in {4, 5}
        assert "|  |" not in line


def test_the_figure_of_the_lifecycle_is_the_table_of_transitions():
    figure = README.partition("<!-- lifecycle -->")[2].partition("<!-- end of lifecycle -->")[0]
    drawn = set(re.findall(r"(\w+) --> (\w+): (\w+)\n", figure))
    assert drawn == {
        (before, after, str(kind.__struct_config__.tag).partition(".")[2])
        for (before, kind), after in TRANSITIONS.items()
    }
