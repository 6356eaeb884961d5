import pytest

from signaling.permissions import Permissions, Source, SubscriptionRules, TrackRule


@pytest.mark.parametrize(
    ("permissions", "source", "allowed"),
    [
        (Permissions(), Source.CAMERA, True),
        (Permissions(), Source.UNKNOWN, True),
        (Permissions(can_publish=False), Source.CAMERA, False),
        (Permissions(can_publish_sources=(Source.MICROPHONE,)), Source.MICROPHONE, True),
        (Permissions(can_publish_sources=(Source.MICROPHONE,)), Source.CAMERA, False),
        (Permissions(can_publish_sources=(Source.MICROPHONE,)), Source.UNKNOWN, False),
        (Permissions(can_publish=False, can_publish_sources=(Source.CAMERA,)), Source.CAMERA, False),
    ],
)
def test_publishing_needs_the_grant_and_the_source(permissions, source, allowed):
    assert permissions.may_publish(source) is allowed


@pytest.mark.parametrize(
    ("rules", "allowed"),
    [
        (SubscriptionRules(), True),
        (SubscriptionRules(everybody=False), False),
        (SubscriptionRules(False, (TrackRule("PA_1", "", True, frozenset()),)), True),
        (SubscriptionRules(False, (TrackRule("", "ada", True, frozenset()),)), True),
        (SubscriptionRules(False, (TrackRule("PA_2", "ada", True, frozenset()),)), False),
        (SubscriptionRules(False, (TrackRule("", "ada", False, frozenset({"TR_1"})),)), True),
        (SubscriptionRules(False, (TrackRule("", "ada", False, frozenset({"TR_2"})),)), False),
        (SubscriptionRules(True, (TrackRule("", "bob", True, frozenset()),)), True),
    ],
)
def test_a_publisher_decides_who_receives(rules, allowed):
    assert rules.allow("PA_1", "ada", "TR_1") is allowed
