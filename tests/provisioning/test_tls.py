"""Certificates of our own: what they are good for, and when others are made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from provisioning.tls import CERTIFICATE_DAYS, is_due, make_authority, make_certificate

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
