import asyncio
import json
import sys

PRINT = """
import json, resource
from signaling.teaching.children.limits import limit_resources
limit_resources(7, 1 << 30{more})
names = ("RLIMIT_CPU", "RLIMIT_AS", "RLIMIT_CORE", "RLIMIT_FSIZE")
print(json.dumps([resource.getrlimit(getattr(resource, name))[1] for name in names]))
"""


async def limits(more):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PRINT.format(more=more), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return json.loads(output)


async def test_a_process_is_limited_for_good():
    assert await limits(", 1000") == [7, 1 << 30, 0, 1000]


async def test_files_are_limited_only_where_it_is_asked_for():
    assert (await limits(""))[3] != 1000
