"""All that survives a restart: records in numbered buckets, ids that are never used twice, settings; one JSON file."""

from __future__ import annotations

import copy
import json
import uuid
from pathlib import Path
from typing import Any

from lab.portainer import VERSION

Record = dict[str, Any]


class Missing(Exception):
    """No record of that number, in the words of the real server's database."""

    def __init__(self, bucket: str = "", key: int = 0) -> None:
        """Without a bucket: a search by something else than the number found nothing."""
        where = f" (bucket={bucket}, key={key})" if bucket else ""
        super().__init__(f"Object not found inside the database{where}")


class TooNew(Exception):
    """A newer release has written the database; there is no way back for it."""


class Store:
    """Records go in and out as copies, so that a failed change leaves nothing behind."""

    def __init__(self, file: Path, settings: Record) -> None:
        """Opens the file, or begins a new one with these settings."""
        self._file = file
        fresh = {"instance": str(uuid.uuid4()), "ids": {}, "buckets": {}, "settings": settings}
        self._data: Record = json.loads(file.read_text()) if file.exists() else fresh
        self._migrate()
        self._save()

    @property
    def instance(self) -> str:
        """The InstanceID, made once."""
        return str(self._data["instance"])

    @property
    def settings(self) -> Record:
        """A copy of the settings."""
        return copy.deepcopy(self._data["settings"])

    @settings.setter
    def settings(self, value: Record) -> None:
        self._data["settings"] = copy.deepcopy(value)
        self._save()

    def next_id(self, bucket: str) -> int:
        """A new number; it is used up, whether something is stored under it or not."""
        number = int(self._data["ids"].get(bucket, 0)) + 1
        self._data["ids"][bucket] = number
        self._save()
        return number

    def every(self, bucket: str) -> list[Record]:
        """Copies of all records, by number."""
        found = self._data["buckets"].get(bucket, {})
        return [copy.deepcopy(found[key]) for key in sorted(found, key=int)]

    def read(self, bucket: str, key: int) -> Record:
        """A copy of one record. Missing when there is none."""
        found = self._data["buckets"].get(bucket, {}).get(str(key))
        if found is None:
            raise Missing(bucket, key)
        return copy.deepcopy(found)

    def write(self, bucket: str, key: int, record: Record) -> None:
        """Store a copy of a record, new or not."""
        self._data["buckets"].setdefault(bucket, {})[str(key)] = copy.deepcopy(record)
        self._save()

    def remove(self, bucket: str, key: int) -> None:
        """Forget a record; nothing happens when there is none."""
        if self._data["buckets"].get(bucket, {}).pop(str(key), None) is not None:
            self._save()

    def export(self) -> str:
        """Everything, as the file has it."""
        return json.dumps(self._data, indent=1)

    def load(self, text: str) -> None:
        """Replace everything by what `export` gave."""
        self._data = json.loads(text)
        self._migrate()
        self._save()

    def _migrate(self) -> None:
        stored = str(self._data.get("version", VERSION))
        if _numbers(stored) > _numbers(VERSION):
            raise TooNew(f"database schema version does not align with the server version: {stored}, {VERSION}")
        self._data["version"] = VERSION

    def _save(self) -> None:
        new = self._file.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(self.export())
        new.replace(self._file)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
