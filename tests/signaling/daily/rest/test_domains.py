from signaling.daily.rest.domains import Domains

KEYS = {"school": "first secret", "other": "second secret"}


def test_a_key_is_a_domain_found_by_name_id_or_secret():
    domains = Domains(KEYS)
    school, other = domains
    assert school.id != other.id
    assert (
        domains.by_name("school") == domains.by_id(school.id) == domains.by_secret("first secret") == school
    )
    assert Domains(KEYS).by_name("school").id == school.id
    assert "first secret" not in repr(school)


def test_what_is_no_key_is_no_domain():
    domains = Domains(KEYS)
    assert domains.by_name("none") is None
    assert domains.by_id("none") is None
    for wrong in ("", "first", "first secret ", "ключ"):
        assert domains.by_secret(wrong) is None


def test_keys_come_and_go():
    keys = dict(KEYS)
    domains = Domains(keys)
    del keys["school"]
    assert domains.by_secret("first secret") is None
