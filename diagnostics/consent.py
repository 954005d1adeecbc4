"""Consent to one test signature with the key."""

from threading import Lock


class Consent:
    """The PIN can be taken once and is forgotten then, so that nothing here can try it twice."""

    def __init__(self, pin: str, seal: str | None = None) -> None:
        """`seal`: serial or label of the seal to sign with; None where the key holds only one that can."""
        self.seal = seal
        self._pin: str | None = pin
        self._lock = Lock()

    def take(self) -> str | None:
        """The PIN the first time, None ever after."""
        with self._lock:
            pin, self._pin = self._pin, None
        return pin

    def __repr__(self) -> str:
        """Without the PIN."""
        return "Consent()"
