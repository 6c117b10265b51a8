"""Make and read X.509 certificates (RFC 5280); the only door to `cryptography`. Everything passes as PEM."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

#: Clocks of containers and their hosts differ: what was signed just now is valid everywhere.
_SKEW = timedelta(hours=1)


@dataclass(frozen=True)
class Pair:
    """A private key (PKCS #8) and its certificate, both as PEM."""

    key: bytes = field(repr=False)
    certificate: bytes


@dataclass(frozen=True)
class Subject:
    """Whom a certificate names, by host names and addresses, and whether servers or clients show it."""

    name: str
    hosts: tuple[str, ...] = ()
    is_server: bool = True


@dataclass(frozen=True)
class Facts:
    """What a certificate says: the hosts in its SAN and when its validity ends (UTC)."""

    hosts: frozenset[str]
    ends: datetime

    def left(self, now: datetime) -> timedelta:
        """Return how long it is still valid; negative when it has ended."""
        return self.ends - now


def found_authority(lifetime: timedelta, now: datetime) -> Pair:
    """Return a new authority: it may sign certificates of servers and clients, no further authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    # A name of its own, so that a successor is never taken for it.
    mark = x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest[:4].hex()
    name = _name(f"obs stack authority {mark}")
    certificate = (
        _builder(name, name, key.public_key(), now, now + lifetime)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return _pair(key, certificate)


def issue(authority: Pair, subject: Subject, lifetime: timedelta, now: datetime) -> Pair:
    """Return a new key and its certificate; it ends with the authority at the latest.

    A server's certificate serves in both directions (it is the client's in mutual TLS, too), a client's
    in one only.
    """
    issuer, issuer_key = _certificate(authority.certificate), _private_key(authority.key)
    key = ec.generate_private_key(ec.SECP256R1())
    purposes = [ExtendedKeyUsageOID.CLIENT_AUTH]
    if subject.is_server:
        purposes.insert(0, ExtendedKeyUsageOID.SERVER_AUTH)
    ends = min(now + lifetime, issuer.not_valid_after_utc)
    builder = (
        _builder(_name(subject.name), issuer.subject, key.public_key(), now, ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    )
    if subject.hosts:
        builder = builder.add_extension(_alternative_names(subject.hosts), critical=False)
    return _pair(key, builder.sign(issuer_key, hashes.SHA256()))


def read(certificate: bytes) -> Facts:
    """Return what a certificate says.

    Raises:
        ValueError: it is no certificate.
    """
    known = _certificate(certificate)
    hosts: set[str] = set()
    try:
        names = known.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        pass
    else:
        hosts.update(names.get_values_for_type(x509.DNSName))
        hosts.update(str(address) for address in names.get_values_for_type(x509.IPAddress))
    return Facts(frozenset(hosts), known.not_valid_after_utc)


def is_pair(pair: Pair) -> bool:
    """Tell whether the certificate is that of the key; a key that cannot be read belongs to none."""
    try:
        return _spki(_private_key(pair.key).public_key()) == _spki(
            _certificate(pair.certificate).public_key()
        )
    except (TypeError, ValueError):
        return False


def is_issued_by(certificate: bytes, authority: bytes) -> bool:
    """Tell whether the key of `authority` signed this certificate; both are certificates."""
    try:
        _certificate(certificate).verify_directly_issued_by(_certificate(authority))
    except (InvalidSignature, TypeError, ValueError):
        return False
    return True


def is_host(text: str) -> bool:
    """Tell whether `text` is an IP address or a DNS name that a certificate can carry (RFC 1123, 2.1)."""
    if _address(text) is not None:
        return True
    labels = text.removeprefix("*.").split(".")
    return len(text) <= 253 and all(
        0 < len(label) <= 63
        and label.isascii()
        and label.replace("-", "a").isalnum()
        and not label.startswith("-")
        and not label.endswith("-")
        for label in labels
    )


def now() -> datetime:
    """Return the present moment, as certificates write it."""
    return datetime.now(timezone.utc).replace(microsecond=0)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    begins: datetime,
    ends: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins - _SKEW)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative_names(hosts: Iterable[str]) -> x509.SubjectAlternativeName:
    names: list[x509.GeneralName] = []
    for host in hosts:
        address = _address(host)
        names.append(x509.DNSName(host) if address is None else x509.IPAddress(address))
    return x509.SubjectAlternativeName(names)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(pem: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise ValueError(f"no certificate: {error}") from None


def _private_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("no key on an elliptic curve")
    return key


def _spki(key: CertificatePublicKeyTypes) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _pair(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> Pair:
    return Pair(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        certificate.public_bytes(serialization.Encoding.PEM),
    )
