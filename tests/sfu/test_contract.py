"""The private names of pinned libraries that the engine relies on: an upgrade that moves them fails here first."""

import inspect
from pathlib import Path

from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsTransport
from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi, lib

import sfu
from sfu.shell.dtls import Certificate, DatagramPort, DtlsTransport


def test_the_dtls_transport_reads_and_writes_through_the_port():
    source = inspect.getsource(RTCDtlsTransport)
    for name in ("self.transport._recv()", "self.transport._send(", "self._rx_srtp", "self._tx_srtp"):
        assert name in source
    assert inspect.iscoroutinefunction(RTCDtlsTransport._recv_next)
    transport = DtlsTransport(DatagramPort(lambda _: None), Certificate.generateCertificate())
    assert transport._role == "server"
    assert transport._data_receiver is None
    assert "self._srtp_profiles" in source


def test_the_certificate_makes_its_context_in_one_place():
    assert callable(RTCCertificate._create_ssl_context)
    certificate = Certificate.generateCertificate()
    profiles = DtlsTransport(DatagramPort(lambda _: None), certificate)._srtp_profiles
    assert certificate._create_ssl_context(profiles) is certificate._create_ssl_context(profiles)
    assert certificate.sha256 == certificate.getFingerprints()[0].value


def test_the_dtls_transport_hands_over_data_and_encrypts_through_memory():
    assert "await self._data_receiver._handle_data(data)" in inspect.getsource(RTCDtlsTransport._recv_next)
    assert "self._ssl.send(data)" in inspect.getsource(RTCDtlsTransport._send_data)
    assert "self._ssl.bio_read(1500)" in inspect.getsource(RTCDtlsTransport._write_ssl)
    assert callable(RTCDtlsTransport._register_data_receiver)


def test_the_product_uses_nothing_of_aiortcs_sctp():
    for module in Path(sfu.__file__).parent.glob("*.py"):
        assert "rtcsctptransport" not in module.read_text()


def test_libsrtp_protects_in_place():
    session = Session(Policy(key=bytes(30), ssrc_type=Policy.SSRC_ANY_OUTBOUND))
    packet = bytearray(b"\x80\x60\0\1" + bytes(8) + b"payload" + bytes(160))
    length = ffi.new("int *", 19)
    assert lib.srtp_protect(session._srtp[0], ffi.from_buffer(packet), length) == 0
    assert length[0] == 29
    assert packet[12:19] != b"payload"
    for name in ("srtp_unprotect", "srtp_unprotect_rtcp"):
        assert callable(getattr(lib, name))
