import csv
import io

from signaling.sessions_api.tables import table


def test_no_cell_is_a_formula():
    made = table("x", ("name", "n"), [("=cmd()", 1), ('a"b,c\n', None), ("+49", -1)])
    rows = list(csv.reader(io.StringIO(made.body.decode("utf-8-sig"))))
    assert rows == [["name", "n"], ["'=cmd()", "1"], ['a"b,c\n', ""], ["'+49", "'-1"]]
    assert made.headers["Content-Disposition"] == 'attachment; filename="x.csv"'
