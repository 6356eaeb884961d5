import json
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signaling.daily.rest.javascript import iso, stringify
from tests.e2e.test_node import PACKAGED

NODE = shutil.which("node", path=str(PACKAGED)) or shutil.which("node")

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(-(2**53), 2**53)
    | st.just(float("nan"))
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT | st.integers(0, 2**33).map(str), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": 1.0, "b": [1.5, -0.0], "c": "ü/\u2028"}, '{"a":1,"b":[1.5,0],"c":"ü/\u2028"}'),
        ({"b": 1, "10": 2, "9": 3, "01": 4, "a": 5}, '{"9":3,"10":2,"b":1,"01":4,"a":5}'),
        ({"4294967294": 1, "0": 2, "4294967295": 3}, '{"0":2,"4294967294":1,"4294967295":3}'),
        ([float("nan"), float("inf"), 1_795_000_000.123_456], "[null,null,1795000000.123]"),
        ('\0\x1f\b\n\x7f"\\', '"\\u0000\\u001f\\b\\n\x7f\\"\\\\"'),
    ],
)
def test_what_javascript_writes_otherwise(value, text):
    assert stringify(value) == text


@pytest.mark.skipif(NODE is None, reason="needs node")
def test_javascript_itself_writes_the_same():
    texts = []

    @settings(max_examples=300, database=None)
    @given(VALUES)
    def collect(value):
        texts.append(stringify(value))

    collect()
    program = (
        "const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
        "console.log(JSON.stringify(texts.map((text) => JSON.stringify(JSON.parse(text)))));"
    )
    run = subprocess.run(
        [NODE, "-e", program], input=json.dumps(texts).encode(), capture_output=True, check=True
    )
    assert json.loads(run.stdout) == texts
    assert len(texts) >= 200


def test_moments_are_written_as_javascript_does():
    assert iso(1_795_000_000.1234) == "2026-11-18T11:06:40.123Z"
