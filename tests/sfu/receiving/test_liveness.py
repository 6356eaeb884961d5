from sfu.receiving.liveness import is_live


def test_a_shared_screen_may_be_quiet_for_longer():
    assert is_live(10.0, 11.0, screen_share=False)
    assert not is_live(10.0, 12.0, screen_share=False)
    assert is_live(10.0, 12.0, screen_share=True)
    assert not is_live(10.0, 16.0, screen_share=True)
