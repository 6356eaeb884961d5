import pytest
from plane_world import built_module

from tools.build_dataplane import BuildError, CompileError


@pytest.fixture(scope="package")
def module():
    """The C module, built by the suite itself."""
    try:
        return built_module()
    except CompileError:
        raise
    except BuildError as error:
        pytest.skip(f"the native data plane cannot be built here: {error}")
