"""Certificates for a test: an authority, and keys that it vouches for, as PEM files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["Authority"]

PEM = serialization.Encoding.PEM


class Authority:
    """Issues certificates for ``localhost``, good for a day."""

    def __init__(self, directory: Path) -> None:
        """``certificate`` is the file by which others trust it."""
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("a test's authority")
        authority = _build(self._name, self._name, self._key).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self.certificate = directory / "authority.pem"
        self.certificate.write_bytes(authority.sign(self._key, hashes.SHA256()).public_bytes(PEM))

    def issue(self, common_name: str) -> tuple[Path, Path, Path]:
        """A certificate, its key (PKCS 8), and both in one file."""
        key = ec.generate_private_key(ec.SECP256R1())
        issued = (
            _build(_name(common_name), self._name, key)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .sign(self._key, hashes.SHA256())
            .public_bytes(PEM)
        )
        plain = serialization.NoEncryption()
        private = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, plain)
        files = [self._directory / f"{common_name}{end}" for end in (".crt", ".key", ".pem")]
        for file, content in zip(files, (issued, private, private + issued), strict=True):
            file.write_bytes(content)
        return files[0], files[1], files[2]


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _build(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    today = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
    )
