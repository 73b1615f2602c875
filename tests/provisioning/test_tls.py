"""Certificates of our own: what they are good for, and when others are made."""

from __future__ import annotations

import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from provisioning.tls import (
    CERTIFICATE_DAYS,
    CertificateRefused,
    Pair,
    belong_together,
    is_due,
    make_authority,
    make_certificate,
    refuse_certificate,
)

AUTHORITY = make_authority("docker of vm-1")
SERVER = make_certificate(AUTHORITY, "vm-1", usage="server", addresses=["10.0.0.1", "vm-1.example.com"])
CLIENT = make_certificate(AUTHORITY, "portainer", usage="client")


def parsed(text: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(text.encode())


def test_a_server_is_verified_at_its_addresses_by_its_own_authority_alone() -> None:
    builder = PolicyBuilder().store(Store([parsed(AUTHORITY.certificate)]))
    builder.build_server_verifier(x509.IPAddress(ip_address("10.0.0.1"))).verify(parsed(SERVER.certificate), [])
    builder.build_server_verifier(x509.DNSName("vm-1.example.com")).verify(parsed(SERVER.certificate), [])
    with pytest.raises(VerificationError):
        builder.build_server_verifier(x509.IPAddress(ip_address("10.0.0.2"))).verify(parsed(SERVER.certificate), [])
    other = PolicyBuilder().store(Store([parsed(make_authority("another").certificate)]))
    with pytest.raises(VerificationError):
        other.build_server_verifier(x509.IPAddress(ip_address("10.0.0.1"))).verify(parsed(SERVER.certificate), [])


def test_a_client_cannot_pass_for_a_server() -> None:
    usage = parsed(CLIENT.certificate).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_keys_are_of_p_256_and_the_authority_signs_certificates_only() -> None:
    for pair in (AUTHORITY, SERVER, CLIENT):
        key = parsed(pair.certificate).public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        assert key.curve.name == "secp256r1"
    assert parsed(AUTHORITY.certificate).extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign


def test_another_is_made_when_a_third_of_its_time_is_left() -> None:
    now = datetime.now(UTC)
    assert not is_due(SERVER.certificate, now)
    assert not is_due(SERVER.certificate, now + timedelta(days=CERTIFICATE_DAYS * 0.6))
    assert is_due(SERVER.certificate, now + timedelta(days=CERTIFICATE_DAYS * 0.7))
    assert is_due("no certificate", now)


def made(authority: Pair, *names: str) -> Pair:
    return make_certificate(authority, "x", usage="server", addresses=names)


def accepted(authority: Pair, certificate: Pair, name: str) -> bool:
    """By OpenSSL, as curl and Python have it."""
    client, server = ssl.create_default_context(cadata=authority.certificate), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(certificate.certificate + certificate.key)
        file.flush()
        server.load_cert_chain(file.name)
    ends = [ssl.MemoryBIO() for _ in range(2)]
    asks = client.wrap_bio(ends[0], ends[1], server_hostname=name)
    answers = server.wrap_bio(ends[1], ends[0], server_side=True)
    for _ in range(4):
        for end in (asks, answers):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError:
                return False
    return asks.version() is not None


def test_whoever_trusts_an_authority_of_a_domain_trusts_it_for_no_other() -> None:
    ours = make_authority("names", ["shops.example.com"])
    assert accepted(ours, made(ours, "*.shops.example.com"), "front.shops.example.com")
    for name in ("bank.example.com", "example.com", "10.0.0.1"):
        assert not accepted(ours, made(ours, name), name)
        assert accepted(AUTHORITY, made(AUTHORITY, name), name), "the check itself would refuse it"


def test_a_certificate_that_is_given_is_for_all_names_of_the_domain_and_valid_now() -> None:
    text = made(AUTHORITY, "*.shops.example.com", "shops.example.com").certificate
    refuse_certificate(text, "shops.example.com")
    refuse_certificate(text + AUTHORITY.certificate, "shops.example.com")
    with pytest.raises(
        CertificateRefused, match=r"for \*.shops.example.com, shops.example.com, expected one for \*.other"
    ):
        refuse_certificate(text, "other.example.com")
    with pytest.raises(CertificateRefused, match="expected one that is valid now"):
        refuse_certificate(text, "shops.example.com", datetime.now(UTC) + timedelta(days=CERTIFICATE_DAYS + 1))
    for nothing in ("", "$(reboot)", CLIENT.certificate):
        with pytest.raises(CertificateRefused, match="expected PEM text"):
            refuse_certificate(nothing, "shops.example.com")


def test_a_key_is_its_own_certificates() -> None:
    assert belong_together(SERVER.certificate, SERVER.key)
    for key in (CLIENT.key, "", "$(reboot)", SERVER.certificate):
        assert not belong_together(SERVER.certificate, key)
