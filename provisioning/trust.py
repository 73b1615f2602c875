"""Whether a server's certificate is trusted by programs that know the system's authorities and SSL_CERT_FILE alone."""

from __future__ import annotations

import socket
import ssl

from provisioning.errors import ProvisioningError


class NotTrusted(ProvisioningError):
    """No TLS connection could be had that way."""


def handshake(host: str, port: int, timeout_s: float) -> None:
    """One handshake, TLS 1.3 as the Proxmox provider wants it. Raises NotTrusted."""
    context = ssl.create_default_context()  # honours SSL_CERT_FILE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        with (
            socket.create_connection((host, port), timeout=timeout_s) as connection,
            context.wrap_socket(connection, server_hostname=host),
        ):
            return
    except ssl.SSLCertVerificationError as error:
        raise NotTrusted(
            f"not trusted ({error.verify_message}); install the CA in the system, or export SSL_CERT_FILE with a "
            "bundle that holds it"
        ) from error
    except OSError as error:
        raise NotTrusted(f"no TLS 1.3 connection ({error}); look at the API's TLS settings") from error
