"""Certificates for servers on the loopback: a good one, and two that must not be trusted."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass(frozen=True)
class Certificates:
    """A test authority's PEM file, and server contexts: two it signed, one a stranger signed."""

    ca_file: Path
    good_file: Path
    good: ssl.SSLContext
    wrong_name: ssl.SSLContext
    untrusted: ssl.SSLContext


def make_certificates(folder: Path) -> Certificates:
    """Make an authority, and servers' certificates that are right, misnamed and a stranger's."""
    authority = _authority("Test Authority")
    stranger = _authority("Stranger")
    ca_file = folder / "ca.pem"
    ca_file.write_bytes(authority[1].public_bytes(serialization.Encoding.PEM))
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    return Certificates(
        ca_file,
        folder / "good.pem",
        good=_context(folder / "good.pem", authority, address),
        wrong_name=_context(folder / "wrong.pem", authority, x509.DNSName("other.example")),
        untrusted=_context(folder / "stranger.pem", stranger, address),
    )


_USES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
    "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip

Authority = tuple[ec.EllipticCurvePrivateKey, x509.Certificate]


def _certificate(
    subject: str, issuer: str, public: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
    )


def _authority(name: str) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    # Since Python 3.13 a chain is verified by the letter of RFC 5280, which wants all of these.
    signs_alone = {name: name == "key_cert_sign" for name in _USES}
    builder = (
        _certificate(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**signs_alone), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return key, builder.sign(key, hashes.SHA256())


def _context(path: Path, authority: Authority, name: x509.GeneralName) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority[1].subject.rfc4514_string().removeprefix("CN=")
    certificate = (
        _certificate("server", issuer, key.public_key())
        .add_extension(x509.SubjectAlternativeName([name]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority[0].public_key()),
            critical=False,
        )
        .sign(authority[0], hashes.SHA256())
    )
    path.write_bytes(
        # The key first: Postfix wants it so.
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
