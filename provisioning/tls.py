"""Certificates of our own: an authority, and certificates that it signs for servers and clients. EC P-256."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provisioning.errors import ProvisioningError

AUTHORITY_DAYS, CERTIFICATE_DAYS = 3650, 397
RENEWED_AT = 1 / 3
"""Of its time: with less than this left, the next `up` makes another."""
USAGES = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}
CLOCKS_DIFFER = timedelta(minutes=10)
_ADDRESSES = [x509.IPAddress(ip_network(every)) for every in ("0.0.0.0/0", "::/0")]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A certificate with its private key, both PEM."""

    certificate: str
    key: str


class CertificateRefused(ProvisioningError):
    """A certificate that somebody gave, and that is not what is needed."""


def make_authority(name: str, domains: Sequence[str] = ()) -> Pair:
    """An authority that signs certificates, and nothing else. `domains`: whoever trusts it does so for these alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        _builder(name, name, key.public_key(), AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if domains:
        permitted = [x509.DNSName(domain) for domain in domains]
        builder = builder.add_extension(x509.NameConstraints(permitted, _ADDRESSES), critical=True)
    return _pair(builder.sign(key, hashes.SHA256()), key)


def make_certificate(authority: Pair, name: str, *, usage: str, addresses: Sequence[str] = ()) -> Pair:
    """One for a server at these addresses or names, or for a client; signed by the authority."""
    issuer = x509.load_pem_x509_certificate(authority.certificate.encode())
    signer = serialization.load_pem_private_key(authority.key.encode(), None)
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise TypeError("the authority's key is of another kind than those made here")
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        _builder(name, _common_name(issuer), key.public_key(), CERTIFICATE_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([USAGES[usage]]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if addresses:
        builder = builder.add_extension(x509.SubjectAlternativeName(list(map(_place, addresses))), critical=False)
    return _pair(builder.sign(signer, hashes.SHA256()), key)


def refuse_certificate(text: str, domain: str, now: datetime | None = None) -> None:
    """CertificateRefused for what is none, is not for every name of the domain, or is over."""
    try:
        found = x509.load_pem_x509_certificates(text.encode())[0]
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound) as error:
        raise CertificateRefused(f"certificate: expected PEM text of a certificate with names ({error})") from error
    given = names.get_values_for_type(x509.DNSName)
    if f"*.{domain}" not in given:
        raise CertificateRefused(
            f"certificate: it is for {', '.join(given) or 'no name'}, expected one for *.{domain}; give that, or leave "
            "it out"
        )
    if not found.not_valid_before_utc <= (now or datetime.now(UTC)) < found.not_valid_after_utc:
        raise CertificateRefused(
            f"certificate: valid from {found.not_valid_before_utc:%Y-%m-%d} to {found.not_valid_after_utc:%Y-%m-%d}, "
            "expected one that is valid now; give a new one"
        )


def belong_together(certificate: str, key: str) -> bool:
    """Whether that is the certificate's private key; no for what is no key."""
    try:
        signer = serialization.load_pem_private_key(key.encode(), None)
        found = x509.load_pem_x509_certificates(certificate.encode())[0]
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return signer.public_key() == found.public_key()


def is_due(certificate: str, now: datetime | None = None) -> bool:
    """Whether it is time for another one; a text that is no certificate is due."""
    try:
        found = x509.load_pem_x509_certificate(certificate.encode())
    except ValueError:
        return True
    whole = found.not_valid_after_utc - found.not_valid_before_utc
    return found.not_valid_after_utc - (now or datetime.now(UTC)) < whole * RENEWED_AT


def _builder(name: str, issuer: str, key: ec.EllipticCurvePublicKey, days: int) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(issuer))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCKS_DIFFER)
        .not_valid_after(now + timedelta(days=days))
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def _common_name(certificate: x509.Certificate) -> str:
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def _place(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Pair(
        certificate=certificate.public_bytes(serialization.Encoding.PEM).decode(),
        key=private.decode(),
    )
