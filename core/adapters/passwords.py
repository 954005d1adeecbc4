"""Password hashing with argon2id."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError


class Argon2Hasher:
    """Implements `core.service.ports.Hasher`."""

    def __init__(self) -> None:
        """Use the library's current parameters."""
        self._hasher = PasswordHasher()

    def hash(self, password: str) -> str:
        """Salted hash with its parameters."""
        return self._hasher.hash(password)

    def verify(self, password_hash: str, password: str) -> bool:
        """Whether the password belongs to the hash; False for anything wrong."""
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False
