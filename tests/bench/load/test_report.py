"""The figures of a load, from what was counted."""

import math

import pytest

from bench.load.media import Report
from bench.load.plan import Plan
from bench.load.report import Result, Sample, percentile, read, write


def test_percentiles():
    values = [0.3, 0.1, 0.2]
    assert (percentile(values, 0.0), percentile(values, 0.5), percentile(values, 1.0)) == (0.1, 0.2, 0.3)
    assert math.isnan(percentile([], 0.5))


def test_figures_follow_from_what_was_counted():
    result = Result(
        joined=2,
        join_s=[0.01, 0.03],
        ramp_s=0.5,
        window_s=2.0,
        window=[Sample(3.0, 2, 10.0, 5_000_000), Sample(5.0, 2, 10.5, 5_000_000)],
        media={"a": Report(received=70, lost=1), "b": Report(received=30, lost=1, latencies_s=[0.004])},
    )
    figures = result.summary()
    assert figures["joins_per_s"] == 4.0
    assert figures["join_ms_p99"] == 30.0
    assert figures["first_media_ms_p50"] is None
    assert figures["loss"] == pytest.approx(2 / 102, rel=1e-3)
    assert figures["latency_ms_p50"] == 4.0
    assert (figures["server_cpu"], figures["us_per_packet"]) == (0.25, 5000.0)
    assert result.is_good


@pytest.mark.parametrize(
    "bad", [Result(failed=["x"]), Result(dropped=1), Result(media={"a": Report(wrong=1)})], ids=repr
)
def test_what_is_not_good(bad):
    assert not bad.is_good


def test_without_a_process_the_server_is_not_known():
    figures = Result(window=[Sample(0.0, 0), Sample(1.0, 0)], window_s=1.0).summary()
    assert figures["server_cpu"] is None
    assert figures["server_rss_mb"] is None


def test_a_report_is_read_as_it_was_written(tmp_path, capsys):
    result = Result(
        joined=1, join_s=[0.5], media={"a": Report(received=7)}, samples=[Sample(0.0, 1), Sample(1.0, 1)]
    )
    write(Plan("ws://x", out=str(tmp_path)), result)
    assert read(tmp_path) == result
    assert "joined               1" in capsys.readouterr().out
