"""Sends one message to one recipient over SMTP (RFC 5321), with TLS unless the operator turned it off."""

from contextlib import suppress
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from enum import StrEnum
from typing import Final

import aiosmtplib

from signaling.errors import SignalingError

# For one message, from the connection to the acceptance.
TIMEOUT_S: Final = 30.0


class MailTls(StrEnum):
    """How the connection to the mail server is protected."""

    STARTTLS = "starttls"
    "Upgraded before anything is sent; a server that does not offer it is not used (RFC 3207)."
    TLS = "tls"
    "From the first byte (RFC 8314)."
    NONE = "none"
    "Not at all, for a mail server on the same machine."


@dataclass(frozen=True, slots=True)
class MailServer:
    """The mail server that takes this server's mail, and the sender of it."""

    host: str
    port: int
    sender: Address
    tls: MailTls = MailTls.STARTTLS
    user: str = ""
    password: str = field(default="", repr=False)


class MailError(SignalingError):
    """A message was not accepted. The text has no address: servers repeat the recipient's in their answers."""

    def __init__(self, text: str, *, permanent: bool = False, connected: bool = True) -> None:
        """`permanent`: another attempt is no use; not `connected`: it would have failed for any message."""
        super().__init__(text)
        self.permanent = permanent
        self.connected = connected


async def send(server: MailServer, message: EmailMessage, recipient: str) -> None:
    """Hand a message over to the mail server. MailError."""
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        use_tls=server.tls is MailTls.TLS,
        start_tls=server.tls is MailTls.STARTTLS,
        username=server.user or None,
        password=server.password or None,
        timeout=TIMEOUT_S,
    )
    try:
        await client.connect()
    except (aiosmtplib.SMTPException, OSError) as error:
        raise MailError(_reason(error), connected=False) from error
    try:
        await client.send_message(message, sender=server.sender.addr_spec, recipients=[recipient])
        with suppress(aiosmtplib.SMTPException, OSError):
            await client.quit()
    except aiosmtplib.SMTPResponseException as error:
        raise MailError(_reason(error), permanent=_is_final(error.code)) from error
    except aiosmtplib.SMTPRecipientsRefused as error:
        final = all(_is_final(each.code) for each in error.recipients)
        raise MailError("the recipient is refused", permanent=final) from error
    except aiosmtplib.SMTPNotSupported as error:
        raise MailError("the server does not take addresses beyond ASCII", permanent=True) from error
    except ValueError as error:
        # The message cannot be written as headers, or the address is not one.
        raise MailError("the message cannot be written", permanent=True) from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise MailError(_reason(error)) from error
    finally:
        client.close()


def _is_final(code: int) -> bool:
    return 500 <= code < 600  # RFC 5321, section 4.2.1


def _reason(error: Exception) -> str:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{type(error).__name__}, answer {error.code}"
    return type(error).__name__
