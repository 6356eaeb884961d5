"""For all tests."""

from hypothesis import HealthCheck, settings

# On a busy machine, making an example may take longer than hypothesis thinks it should; that is no fault of the code.
settings.register_profile("lectern", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lectern")
