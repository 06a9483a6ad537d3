"""The two databases under the bench, both with full durability, on the disk of the temporary directory."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Self

from sqlalchemy import create_engine, text
from sqlalchemy.engine.url import URL, make_url

from tests import databases
from tests.bench.serving import family_of, until

HOT_ROW = """\\set who random(1, 2000000000)
WITH run AS (
  UPDATE bench_runs SET seats_taken = LEAST(seats_taken + 1, capacity), last_number = last_number + 1
  WHERE id = :run AND last_number < 2000000000 RETURNING last_number, capacity)
INSERT INTO bench_registrations (run_id, resident_id, state, number, registered_at)
SELECT :run, :who, CASE WHEN last_number <= capacity THEN 'confirmed' ELSE 'waitlisted' END, last_number, now() FROM run
ON CONFLICT DO NOTHING;
"""


class Store(AbstractContextManager["Store"], ABC):
    """A place for databases."""

    name: str

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="jiamenkou-bench-"))

    @abstractmethod
    def database(self, name: str) -> str:
        """The URL of a new, empty database."""

    @abstractmethod
    def processes(self) -> list[int]:
        """The database's own processes."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)


class Sqlite(Store):
    """A file a database; WAL and synchronous FULL come from the product itself."""

    name = "sqlite"

    def database(self, name: str) -> str:
        return f"sqlite:///{self.directory / name}.sqlite3"

    def processes(self) -> list[int]:
        return []


class PostgreSql(Store):
    """A server of the bench's own from the wheel, with the durability PostgreSQL ships with; it can be killed and restarted."""

    name = "postgresql"

    def __init__(self) -> None:
        super().__init__()
        self.directory.chmod(0o755)  # started by root, the server runs as another user and must get in
        self._server: Any = databases._wheel(self.directory / "run").get_server(
            self.directory / "pg", cleanup_mode="delete"
        )

    @property
    def url(self) -> URL:
        """The server's first database."""
        return make_url(self._server.get_uri(driver="psycopg"))

    @property
    def version(self) -> str:
        """What it calls itself."""
        engine = create_engine(self.url)
        with engine.connect() as connection:
            version = str(connection.scalar(text("SHOW server_version")))
        engine.dispose()
        return version

    def database(self, name: str) -> str:
        with databases._outside_transactions(self.url) as connection:
            connection.execute(text(f'CREATE DATABASE "{name}"'))
        return self.url.set(database=name).render_as_string(hide_password=False)

    def processes(self) -> list[int]:
        return family_of(self._server.get_pid())

    def kill(self) -> None:
        """Immediate stop: no checkpoint, no goodbye; what was not on disk is gone."""
        server, everybody = self._server.get_postmaster_info().process, self.processes()
        os.kill(everybody[0], signal.SIGQUIT)
        until(lambda: not server.is_running(), within=20, what="PostgreSQL is down")

    def restart(self) -> None:
        """Up again, recovered from its log."""
        self._server.ensure_postgres_running()

    def hot_row_per_second(self, database_url: str, run_id: int, *, clients: int, seconds: int) -> float:
        """pgbench: one guarded statement a registration, one row everybody wants, prepared, durable."""
        script = self.directory / "hot_row.sql"
        script.write_text(HOT_ROW)
        url = make_url(database_url)
        ran = subprocess.run(
            [
                str(self._server.bin_path / "pgbench"),
                *("-h", str(url.query["host"]), "-U", str(url.username)),
                *("-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(seconds)),
                *("-D", f"run={run_id}", "-f", str(script), str(url.database)),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        for line in ran.stdout.splitlines():
            if line.startswith("tps = "):
                return float(line.split()[2])
        print(ran.stdout, ran.stderr, file=sys.stderr)
        raise RuntimeError("pgbench gave no number")

    def __exit__(self, *_: object) -> None:
        self._server.cleanup()
        super().__exit__()
