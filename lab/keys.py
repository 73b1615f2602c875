"""Keys of a lab, made once: a CA and the API's certificate, the SSH key of whoever uses the lab."""

from __future__ import annotations

import datetime
import ipaddress
import os
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFETIME = datetime.timedelta(days=3650)
_SYSTEM_ROOTS = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


def ensure_tls(folder: Path, host: str) -> None:
    """`ca.crt`, `server.crt`, `server.key` for the host, and `bundle.crt`: the machine's roots with our CA."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (folder / "server.crt").exists() or not _is_for(folder / "server.crt", host):
        _make_certificates(folder, host)
    roots = system_roots(folder / "bundle.crt")
    (folder / "bundle.crt").write_text("".join([*roots, (folder / "ca.crt").read_text()]))


def ensure_ssh_key(file: Path) -> None:
    """An Ed25519 key pair without a passphrase, in OpenSSH's format."""
    if file.exists():
        return
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = ed25519.Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    file.with_suffix(".pub").write_bytes(public + b" lab\n")
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    write_private(file, private)


def write_private(file: Path, content: bytes) -> None:
    """Write a file that nobody else can ever read."""
    beside = file.with_name(f"{file.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(content)
    beside.replace(file)


def system_roots(ours: Path) -> list[str]:
    """The CA certificates this machine trusts: SSL_CERT_FILE unless that is our own bundle, else the usual place."""
    told = os.environ.get("SSL_CERT_FILE")
    places = [told or "", ssl.get_default_verify_paths().cafile or "", *_SYSTEM_ROOTS]
    usable = (Path(place) for place in places if place and Path(place).absolute() != ours.absolute())
    return [place.read_text() for place in usable if place.is_file()][:1]


def _is_for(certificate: Path, host: str) -> bool:
    names = x509.load_pem_x509_certificate(certificate.read_bytes()).extensions
    return _alternative_name(host) in names.get_extension_for_class(x509.SubjectAlternativeName).value


def _alternative_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _make_certificates(folder: Path, host: str) -> None:
    """A CA whose key is forgotten at once, and the one certificate it signs."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = _certificate("Hypercompose lab CA", ca_key.public_key(), "Hypercompose lab CA")
    ca = ca.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).add_extension(
        x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        ),
        critical=True,
    )
    ca = ca.add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
    server = _certificate(host, key.public_key(), "Hypercompose lab CA")
    server = server.add_extension(x509.SubjectAlternativeName([_alternative_name(host)]), critical=False)
    server = server.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    server = server.add_extension(issuer, critical=False)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_private(folder / "server.key", private)
    (folder / "ca.crt").write_bytes(ca.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    (folder / "server.crt").write_bytes(server.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


def _certificate(subject: str, key: ec.EllipticCurvePublicKey, issuer: str) -> x509.CertificateBuilder:
    """A certificate that is valid from yesterday, for machines whose clocks disagree."""
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + _LIFETIME)
    )
