import pytest

from signaling.store.tenants import tenant_name, tenant_parts


@pytest.mark.parametrize(
    ("key", "school", "name"), [("k", "", "k"), ("k", "north", "k:north"), ("k", "a:b", "k:a:b")]
)
def test_a_name_has_its_parts(key, school, name):
    assert tenant_name(key, school) == name
    assert tenant_parts(name) == (key, school)
