"""Keys of a lab, made once: a CA and the certificates it signs, the SSH key of whoever uses the lab."""

from __future__ import annotations

import datetime
import ipaddress
import os
import ssl
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_CA_NAME = "Hypercompose lab CA"
_LIFETIME = datetime.timedelta(days=3650)
_SYSTEM_ROOTS = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


def ensure_tls(folder: Path, certificates: Mapping[str, Sequence[str]]) -> None:
    """`ca.crt`, `<name>.crt` and `<name>.key` for the hosts of each, and `bundle.crt`: the machine's roots with our CA.

    The CA's key is not kept, so one certificate that is missing or holds other hosts means a new CA and all anew.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not all(_is_for(folder / f"{name}.crt", hosts) for name, hosts in certificates.items()):
        _make_certificates(folder, certificates)
    bundle = folder / "bundle.crt"
    text = "".join([*system_roots(bundle), (folder / "ca.crt").read_text()])
    if not bundle.exists() or bundle.read_text() != text:  # a program may be reading it now
        bundle.write_text(text)


def ensure_ssh_key(file: Path) -> None:
    """An Ed25519 key pair without a passphrase, in OpenSSH's format."""
    if file.exists():
        return
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    private, public = openssh_pair(ed25519.Ed25519PrivateKey.generate())
    file.with_suffix(".pub").write_bytes(public + b" lab\n")
    write_private(file, private)


def openssh_pair(key: ed25519.Ed25519PrivateKey) -> tuple[bytes, bytes]:
    """Private and public half of a key in OpenSSH's format, without a passphrase."""
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    return private, public


def write_private(file: Path, content: bytes) -> None:
    """Write a file that nobody else can ever read."""
    handle, beside = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)  # 0600, and one a writer
    with os.fdopen(handle, "wb") as opened:
        opened.write(content)
    Path(beside).replace(file)


def system_roots(ours: Path) -> list[str]:
    """The CA certificates this machine trusts: SSL_CERT_FILE unless that is our own bundle, else the usual place."""
    told = os.environ.get("SSL_CERT_FILE")
    places = [told or "", ssl.get_default_verify_paths().cafile or "", *_SYSTEM_ROOTS]
    usable = (Path(place) for place in places if place and Path(place).absolute() != ours.absolute())
    return [place.read_text() for place in usable if place.is_file()][:1]


def _is_for(certificate: Path, hosts: Sequence[str]) -> bool:
    if not certificate.exists():
        return False
    extensions = x509.load_pem_x509_certificate(certificate.read_bytes()).extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return list(names) == [_alternative_name(host) for host in hosts]


def _alternative_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _make_certificates(folder: Path, certificates: Mapping[str, Sequence[str]]) -> None:
    """A CA whose key is forgotten at once, and all that it ever signs."""
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = _certificate(_CA_NAME, ca_key.public_key()).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    ca = ca.add_extension(
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
    ).add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
    for name, hosts in certificates.items():
        _make_certificate(folder / name, hosts, ca_key)
    (folder / "ca.crt").write_bytes(ca.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


def _make_certificate(file: Path, hosts: Sequence[str], ca_key: ec.EllipticCurvePrivateKey) -> None:
    """A server's key and certificate, `<file>.key` and `<file>.crt`."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([_alternative_name(host) for host in hosts])
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    certificate = _certificate(hosts[0], key.public_key()).add_extension(names, critical=False)
    certificate = certificate.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    signed = certificate.add_extension(issuer, critical=False).sign(ca_key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_private(file.with_suffix(".key"), private)
    file.with_suffix(".crt").write_bytes(signed.public_bytes(serialization.Encoding.PEM))


def _certificate(subject: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    """A certificate that is valid from yesterday, for machines whose clocks disagree."""
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _CA_NAME)]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + _LIFETIME)
    )
