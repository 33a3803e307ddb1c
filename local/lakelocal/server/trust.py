"""Java trusts what this machine trusts: the machine's certificate bundle as a Java key store.

The JRE that set-up may install has its own bundle, which lacks the certificate of a company's proxy. pip reads that
certificate from the machine; so should the download of the jars.
"""

import hashlib
import os
import ssl
import struct
from pathlib import Path

PASSWORD = "changeit"  # of a file that only contains public certificates
VARIABLES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def trust_options(folder: Path) -> list[str]:
    """The Java options that use the machine's bundle, written into *folder*; none if there is no bundle."""
    bundle = next((Path(os.environ[name]) for name in VARIABLES if os.environ.get(name)), None)
    default = ssl.get_default_verify_paths().cafile
    bundle = bundle or (Path(default) if default else None)
    certificates = read_certificates(bundle) if bundle and bundle.is_file() else []
    if not certificates:
        return []
    store = folder / "trust.jks"
    store.write_bytes(key_store(certificates))
    return [
        f"-Djavax.net.ssl.trustStore={store}",
        "-Djavax.net.ssl.trustStoreType=JKS",
        f"-Djavax.net.ssl.trustStorePassword={PASSWORD}",
    ]


def read_certificates(bundle: Path) -> list[bytes]:
    """The certificates of a PEM *bundle*, each as DER."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=str(bundle))
    return context.get_ca_certs(binary_form=True)


def key_store(certificates: list[bytes]) -> bytes:
    """A Java key store (JKS, version 2) of trusted *certificates*.

    Source: the layout described in the JDK's class `sun.security.provider.JavaKeyStore`.
    """
    body = struct.pack(">IIi", 0xFEEDFEED, 2, len(certificates))
    for number, certificate in enumerate(certificates):
        body += struct.pack(">I", 2) + _utf(f"ca{number}") + struct.pack(">Q", 0)
        body += _utf("X.509") + struct.pack(">I", len(certificate)) + certificate
    return body + hashlib.sha1(PASSWORD.encode("utf-16-be") + b"Mighty Aphrodite" + body).digest()


def _utf(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode()
