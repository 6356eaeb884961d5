"""Pagination as in Daily's API."""

from typing import Annotated

import msgspec

# Daily's, of every list but the logs.
MAX_PAGE = 100

OLDEST = "OLDEST"


class PageQuery(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list, newest first."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_PAGE)] = MAX_PAGE
    starting_after: str | None = None
    "Begin behind the one of this id."
    ending_before: str | None = None
    "End before the one of this id; `OLDEST`: the last page."

    @property
    def cursor(self) -> str | None:
        """The id before or after which the page begins; None: an end of the list."""
        if self.starting_after is not None:
            return self.starting_after
        return None if self.ending_before == OLDEST else self.ending_before

    @property
    def backwards(self) -> bool:
        """Whether it is counted from older to newer."""
        return self.starting_after is None and self.ending_before is not None
