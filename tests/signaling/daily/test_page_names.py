"""The page's copies of names that the server defines (`web/src/client/attributes.ts`)."""

import re
from pathlib import Path

from signaling.daily import notices
from signaling.daily.door import entry
from signaling.rooms.model import LINK, RESERVED_PREFIX, USER_ID
from signaling.teaching import delivery

SOURCES = Path("web/src")
COPIES = SOURCES / "client/attributes.ts"
# What a browser keeps for the page; the server never sees these keys.
STORAGE_KEYS = SOURCES / "client/storage.ts"


def test_the_page_has_the_servers_names():
    copies = dict(re.findall(r"export const (\w+) = '([^']*)';", COPIES.read_text()))
    assert copies == {
        "USER_ID": USER_ID,
        "IS_OWNER": entry.IS_OWNER,
        "CAN_ADMIN": entry.CAN_ADMIN,
        "EJECT_AT": entry.EJECT_AT,
        "LINK": LINK,
        "TOPIC": notices.TOPIC,
        "SESSION_TOPIC": delivery.TOPIC,
    }


def test_the_page_writes_these_names_in_one_file_only():
    written = {
        path
        for path in SOURCES.rglob("*.ts*")
        if f"'{RESERVED_PREFIX}" in path.read_text() and ".test." not in path.name
    }
    assert written == {COPIES, STORAGE_KEYS}
