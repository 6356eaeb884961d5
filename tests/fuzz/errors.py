"""Errors that the server contains and logs are faults as well: what one input provokes must not need containing."""

import logging


class ErrorLog(logging.Handler):
    """Collects what is logged as an error."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.records = []

    def emit(self, record):
        self.records.append(record)

    def install(self):
        """Take the place of every other handler, whose output nobody reads in a fuzz."""
        logging.getLogger().handlers = [self]
        logging.getLogger().setLevel(logging.WARNING)
        return self

    def check(self):
        """Raise what was logged since the last check."""
        records, self.records = self.records, []
        for record in records:
            error = record.exc_info[1] if record.exc_info else None
            raise AssertionError(f"logged: {record.getMessage()}") from error
