import datetime as dt
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from signaling.teaching.mail.smtp import MailError, MailServer, MailTls, send
from tests.signaling.mailbox import mailbox

SENDER = Address("School", addr_spec="lessons@school.example")


def message(to="ada@school.example"):
    made = EmailMessage(policy=SMTP_POLICY)
    made["From"], made["To"], made["Subject"] = SENDER, to, "Hello"
    made.set_content("Hello Ada.\n")
    return made


def server(box, tls=MailTls.NONE, host="127.0.0.1", **more):
    return MailServer(host, box.port, SENDER, tls, **more)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for localhost, and the server's side of it."""
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(secret + made.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return path, context


async def test_a_message_reaches_its_one_recipient():
    async with mailbox() as box:
        await send(server(box), message("ada@school.example, eve@school.example"), "ada@school.example")
        assert box.envelopes == [("lessons@school.example", ["ada@school.example"], False)]


async def test_starttls_protects_the_message_and_the_password(certificate, monkeypatch):
    path, context = certificate
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    async with mailbox(tls_context=context, require_starttls=True, user=("me", "secret")) as box:
        mine = server(box, MailTls.STARTTLS, "localhost", user="me", password="secret")
        await send(mine, message(), "ada@school.example")
        assert box.envelopes[0][2] is True
        wrong = server(box, MailTls.STARTTLS, "localhost", user="me", password="wrong")
        with pytest.raises(MailError, match="535") as refused:
            await send(wrong, message(), "ada@school.example")
        assert not refused.value.connected
        assert "secret" not in repr(mine)


@pytest.mark.parametrize("offers", [True, False])
async def test_a_server_without_a_trusted_certificate_is_not_used(certificate, offers):
    options = {"tls_context": certificate[1]} if offers else {}
    async with mailbox(**options) as box:
        with pytest.raises(MailError) as refused:
            await send(server(box, MailTls.STARTTLS, "localhost"), message(), "ada@school.example")
        assert not refused.value.connected
        assert box.messages == []


@pytest.mark.parametrize(
    ("answer", "permanent"), [("550 no such user ada@school.example", True), ("451 try later", False)]
)
async def test_a_refusal_is_final_or_not_and_repeats_no_address(answer, permanent):
    async with mailbox() as box:
        box.recipient_answer = answer
        with pytest.raises(MailError) as refused:
            await send(server(box), message(), "ada@school.example")
        box.recipient_answer, box.answers = "", [answer]
        with pytest.raises(MailError) as later:
            await send(server(box), message(), "ada@school.example")
    for error in (refused.value, later.value):
        assert (error.permanent, error.connected) == (permanent, True)
        assert "ada" not in str(error)


async def test_a_server_that_is_not_there_is_said_to_be_out_of_reach(unused_tcp_port):
    with pytest.raises(MailError) as refused:
        await send(
            MailServer("127.0.0.1", unused_tcp_port, SENDER, MailTls.NONE), message(), "ada@school.example"
        )
    assert not refused.value.connected


async def test_an_address_beyond_ascii_that_the_server_does_not_take_is_final():
    async with mailbox() as box:
        with pytest.raises(MailError) as refused:
            await send(server(box), message(), "ädä@school.example")
        assert refused.value.permanent
