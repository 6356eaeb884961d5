"""Mail that calls cause, where the server sends any."""

from typing import Final

from classroom.ids import PersonId
from signaling.access.sign_ins import digest
from signaling.ids import TenantId
from signaling.limits import Limits, Rate
from signaling.store.people.mails import MailKind
from signaling.teaching.mail.sender import MailSender

# For one address: a person who did not receive the first message may ask again.
_BY_EMAIL: Final = Rate(per_s=1 / 3600, burst=3)


class Mailing:
    """Stores mail for the sender."""

    def __init__(self, sender: MailSender | None, limits_: Limits) -> None:
        """Without a sender, no mail is sent."""
        self._sender = sender
        self._limits = limits_

    @property
    def is_on(self) -> bool:
        """Whether this server sends mail."""
        return self._sender is not None

    def check(self, tenant: TenantId, email: str) -> None:
        """Count a message to an address, whether it has an account or not. TooOftenError."""
        self._limits.check("mail by address", digest(f"{tenant}\0{email}"), _BY_EMAIL)

    async def send(self, tenant: TenantId, kind: MailKind, person: PersonId) -> None:
        """Send a mail, if this server sends any and the person has an account. StoreError."""
        if self._sender is not None:
            await self._sender.add(tenant, kind, person)
