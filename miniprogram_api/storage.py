"""Storage (文件存放): bytes on disk under names that say nothing, whole from their first moment.

What is kept here belongs to a row that knows its name: the file is written before the row, and the row goes before the file, so a row is
never without its file. What a crash leaves is a file without a row, and ``names`` finds it again. Who may see a file is not asked
here: whoever opens one has looked at its row, or at a signed address.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from models import clock
from models.base import new_key
from models.errors import NotFound


class Storage:
    """Files of one sort in one directory, ``kind`` at the end of their names. Made when the first is put."""

    def __init__(self, directory: Path, *, kind: str) -> None:
        self._directory = directory
        self._kind = kind

    def put(self, body: bytes, name: str | None = None) -> str:
        """Keep these bytes under a new name, or in place of what stood under this one; its name. On disk before it returns.

        Names that are given are ours (``[a-z0-9-]``), never a visitor's.
        """
        name = name or new_key()
        self._directory.mkdir(parents=True, exist_ok=True)
        draft = self._directory / f"{name}.{secrets.token_hex(4)}.draft"
        try:
            with draft.open("wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            now = clock.now().timestamp()
            os.utime(draft, (now, now))
            draft.replace(self._path(name))
        finally:
            draft.unlink(missing_ok=True)
        return name

    def find(self, name: str) -> bytes | None:
        """What is kept under a name, if anything is."""
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            return None

    def open(self, name: str) -> bytes:
        """What is kept under a name. Raises NotFound."""
        body = self.find(name)
        if body is None:
            raise NotFound("没有找到这个文件")
        return body

    def delete(self, *names: str) -> None:
        """Keep these no longer. Having nothing to delete is fine."""
        for name in names:
            self._path(name).unlink(missing_ok=True)

    def names(self, *, kept_since: datetime | None = None) -> Iterator[str]:
        """The name of everything that is kept; of what has been since before a moment, when one is given."""
        for path in sorted(self._directory.glob(f"*.{self._kind}")):
            try:
                at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            except FileNotFoundError:
                continue  # deleted meanwhile
            if kept_since is None or at < kept_since:
                yield path.name.removesuffix(f".{self._kind}")

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}.{self._kind}"
