"""Current processes from the data files, earlier versions from the database."""

from core.adapters.process_build import restore
from core.adapters.processes import ProcessBook
from core.domain.certificates import Vendor
from core.domain.errors import NotFoundError
from core.domain.process import Process
from core.domain.values import Values
from core.service.ports import Transaction


class ProcessRegistry:
    """Implements `core.service.ports.Processes`. Definitions never change, so they may be kept for good."""

    def __init__(self, book: ProcessBook) -> None:
        """Know the current processes by their version too."""
        self._book = book
        self._versions = {process.version: process for process in book.processes.values()}
        self._kinds: dict[str, dict[str, None]] = {}  # asked by every turn of a conversation
        for region, kind, _ in book.processes:
            self._kinds.setdefault(region, {})[kind] = None

    def current(self, region: str, kind: str, variant: str) -> Process:
        """What a new document starts on."""
        return self._book.get(region, kind, variant)

    def variants(self, region: str, kind: str) -> list[Process]:
        """Current variants of a kind."""
        return self._book.variants(region, kind)

    def version(self, version: str, tx: Transaction) -> Process:
        """The definition a document started with."""
        if version not in self._versions:
            body = tx.records.process_body(version)
            if body is None:
                raise NotFoundError("这份单据的流程版本找不到了，请联系管理员", code="no_such_process")
            self._versions[version] = restore(body)
        return self._versions[version]

    def region_label(self, region: str) -> str:
        """`内蒙古`."""
        return self._book.regions.get(region, region)

    def vendors(self, region: str) -> tuple[Vendor, ...]:
        """Makers of keys that a region accepts."""
        return self._book.vendors.get(region, ())

    def values(self, region: str) -> Values:
        """Thresholds and limits of a region."""
        return self._book.values.get(region, Values({}))

    def kinds(self, region: str) -> list[str]:
        """Kinds of documents a region has, in the order of its data."""
        return list(self._kinds.get(region, ()))

    def all(self) -> list[Process]:
        """Every current process."""
        return list(self._book.processes.values())
