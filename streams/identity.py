"""Who a customer is, without saying so: pseudonyms and references.

A *pseudonym* is what tables, state and alerts hold: HMAC-SHA256 under the pseudonym key, so that nobody
without the key can go back or test a guess. A *reference* is the id itself, encrypted with AES-SIV
(RFC 5297) under the other key: equal ids give equal references, and only who holds the key opens them.

>>> names = Pseudonyms(b"0123456789abcdef", b"fedcba9876543210")
>>> names.pseudonym("default", "jane") == names.pseudonym("default", "jane")
True
>>> names.pseudonym("default", "jane") == names.pseudonym("other", "jane")
False
>>> names.open("default", names.reference("default", "jane"))
'jane'
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from streams.errors import OperationError, SettingError
from streams.settings import MIN_KEY, Settings

__all__ = ["Pseudonyms"]

# Hex digits of a pseudonym: 128 bits, so that two customers in 10^15 never meet.
LENGTH = 32
# Bytes that SHA-256 takes at a time.
BLOCK = 64
# Tells this key's use from any other of the same secret; a change makes old references unreadable.
PURPOSE = b"rehuman customer reference v1"


class Pseudonyms:
    """Pseudonyms and references under one pair of keys. Thread safe; remembers what it was asked last."""

    #: ``pseudonym(tenant, subject)`` -> 32 hex digits.
    pseudonym: Callable[[str, str], str]
    #: ``reference(tenant, subject)`` -> URL-safe base64 without padding.
    reference: Callable[[str, str], str]

    def __init__(self, key: bytes, reference_key: bytes, cache: int = 65_536) -> None:
        """``cache`` is how many customers are remembered. Raises SettingError for a key that is too short."""
        for name, secret in (("REHUMAN_PSEUDONYM_KEY", key), ("REHUMAN_REFERENCE_KEY", reference_key)):
            if len(secret) < MIN_KEY:
                found = f"{len(secret)} characters" if secret else "nothing"
                raise SettingError(name, found, f"a secret of at least {MIN_KEY} characters")
        # The two hashes of an HMAC (RFC 2104) that have taken the key already: copies of them take half
        # of the time of a copied HMAC.
        padded = (key if len(key) <= BLOCK else sha256(key).digest()).ljust(BLOCK, b"\0")
        self._inner, self._outer = (sha256(bytes(byte ^ pad for byte in padded)) for pad in (0x36, 0x5C))
        # 64 bytes: AES-256 for the text and for the synthetic nonce.
        self._siv = AESSIV(HKDF(SHA256(), 64, salt=None, info=PURPOSE).derive(reference_key))
        # The cached functions themselves are the methods: a hit never enters Python code.
        self.pseudonym = lru_cache(cache)(self._pseudonym)
        self.reference = lru_cache(cache)(self._reference)

    @classmethod
    def of(cls, settings: Settings) -> Pseudonyms:
        """Under the settings' keys. Raises SettingError where one is not set."""
        return cls(
            settings.pseudonym_key.get_secret_value().encode(),
            settings.reference_key.get_secret_value().encode(),
        )

    def _pseudonym(self, tenant: str, subject: str) -> str:
        name = tenant.encode()
        # The length keeps ("ab", "c") and ("a", "bc") apart.
        message = len(name).to_bytes(4, "big") + name + subject.encode()
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.hexdigest()[:LENGTH]

    def _reference(self, tenant: str, subject: str) -> str:
        sealed = self._siv.encrypt(subject.encode(), [tenant.encode()])
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, tenant: str, reference: str) -> str:
        """The id behind a reference. Raises OperationError if key, tenant or reference do not fit."""
        try:
            sealed = base64.b64decode(reference + "=" * (-len(reference) % 4), altchars=b"-_", validate=True)
            return self._siv.decrypt(sealed, [tenant.encode()]).decode()
        except (binascii.Error, InvalidTag, ValueError):
            raise OperationError("this reference was not made with this key for this tenant") from None
