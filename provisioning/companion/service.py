"""The entries of one service: pointed to containers here, read, and given back to Windows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from provisioning.companion.places import OURS
from provisioning.companion.records import Claim, Record, Selected, mark, record_of, refuse_taken
from provisioning.companion.share import Changes, File, Look, Share, ShareError
from provisioning.config_files import EditError, Selector, find, put_back
from provisioning.config_files import replace as with_value

Values = Mapping[tuple[str, str], str]
"""By file and selector."""


@dataclass(frozen=True, kw_only=True)
class Edit:
    """An entry and the value it is to have; None: what stands there is taken as it is."""

    selected: Selected
    value: str | None


@dataclass(frozen=True, kw_only=True)
class Done:
    """How it ended."""

    values: Values
    left: tuple[str, ...] = ()
    """Entries that were not given back, each with the reason."""
    notes: tuple[str, ...] = ()
    changed: bool = False


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service of a link. `restarts` names its Windows services; `restart` restarts them."""

    share: Share
    owner: str
    name: str
    restarts: tuple[str, ...] = ()
    restart: Callable[[Sequence[str]], None] = lambda names: None
    now: Callable[[], str] = lambda: time.strftime("%Y-%m-%dT%H%M%SZ", time.gmtime())

    def values(self, entries: Iterable[Selected]) -> Values:
        """What stands there now. Raises ShareError, EditError."""
        wanted = list(entries)
        look = self.share.look(entry.file for entry in wanted)
        return {(entry.file, entry.at): _value(look.file(entry.file), entry) for entry in wanted}

    def originals(self, entries: Iterable[Selected]) -> Values:
        """What stood there before us: now, where nothing is claimed. Refuses what others have claimed."""
        wanted = list(entries)
        look = self.share.look(entry.file for entry in wanted)
        record = record_of(look.records, self.owner, self.name)
        refuse_taken(look.records, record, wanted)
        backups = self._backups(record.claims)
        found = {}
        for entry in wanted:
            claim = record.claim(entry)
            kept = backups.files.get(claim.backup) if claim else None
            found[entry.file, entry.at] = _value(kept or look.file(entry.file), entry)
        return found

    def point_here(self, edits: Sequence[Edit], known: Values | None = None) -> Done:
        """Every entry has its value, and what is no entry any more is given back.

        `known`: values before us, as somebody remembers them. Raises ShareError, EditError, ClaimTaken.
        """
        first = self.share.look(edit.selected.file for edit in edits)
        record = record_of(first.records, self.owner, self.name)
        refuse_taken(first.records, record, [edit.selected for edit in edits])
        wanted = {edit.selected.place for edit in edits}
        dropped = [claim for claim in record.claims if claim.selected.place not in wanted]
        look = self._with(first, dropped)
        work = _Work(look, self._backups(dropped), known or {})
        claims = [work.point(edit, record.claim(edit.selected), self._backup_of) for edit in edits]
        for claim in dropped:
            work.give_back(claim)
        return self._carry_out(work, replace(record, claims=tuple(claims)))

    def give_back(self, known: Values | None = None) -> Done:
        """Every entry is what it was before us, where what we wrote still stands. Safe where nothing was claimed."""
        first = self.share.look(())
        record = record_of(first.records, self.owner, self.name)
        work = _Work(self._with(first, record.claims), self._backups(record.claims), known or {})
        for claim in record.claims:
            work.give_back(claim)
        return self._carry_out(work, replace(record, claims=()))

    def _carry_out(self, work: _Work, record: Record) -> Done:
        changed = work.changed()
        due = tuple(dict.fromkeys([*record.restarts, *(self.restarts if changed else ())]))
        record = replace(record, restarts=due)
        changes = work.changes
        before = record_of(work.look.records, self.owner, self.name)
        if changed or record != before:
            both = replace(record, claims=work.either(before, record))
            changes.claim(record.path, both.to_json(), work.look.records)
            for path, content in changed.items():
                changes.replace(path, content, work.look.files[path].sha256)
            self._keep(changes, record)
        notes = self.share.change(changes)
        if due:
            self.restart(due)
            last = Changes()
            self._keep(last, replace(record, restarts=()))
            self.share.change(last)
        told = tuple(f"{path}: {note}" for path, note in notes.items())
        return Done(values=work.values, left=tuple(work.left), notes=told, changed=bool(changed))

    def _keep(self, changes: Changes, record: Record) -> None:
        if record.claims or record.restarts:
            changes.put(record.path, record.to_json())
        else:
            changes.remove(record.path)

    def _with(self, look: Look, claims: Iterable[Claim]) -> Look:
        """The look with the files of these claims, too."""
        more = {claim.selected.file for claim in claims} - {*look.files, *look.missing}
        if not more:
            return look
        found = self.share.look(more)
        files, missing = {**look.files, **found.files}, {**look.missing, **found.missing}
        return Look(files=files, missing=missing, records=look.records)

    def _backups(self, claims: Iterable[Claim]) -> Look:
        paths = {claim.backup for claim in claims}
        return self.share.look(paths) if paths else Look(files={}, missing={}, records={})

    def _backup_of(self, file: str) -> str:
        return f"{OURS}/backups/{self.now()}/{self.owner.replace('/', '.')}/{file}"


@dataclass
class _Work:
    """Contents as they become, edit by edit."""

    look: Look
    backups: Look
    known: Values
    contents: dict[str, bytes] = field(default_factory=dict)
    values: dict[tuple[str, str], str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    changes: Changes = field(default_factory=Changes)
    _kept: dict[str, str] = field(default_factory=dict)

    def point(self, edit: Edit, claim: Claim | None, backup_of: Callable[[str], str]) -> Claim:
        """Give an entry its value; its claim from now on."""
        selected, found = edit.selected, self.look.file(edit.selected.file)
        content = self.contents.get(selected.file, found.content)
        with _naming(selected):
            if edit.value is None:
                value = find(content, _selector(selected), selected.encoding).value
            else:
                value = edit.value
                self.contents[selected.file] = with_value(content, _selector(selected), value, selected.encoding)
        self.values[selected.file, selected.at] = value
        if claim is not None:
            return replace(claim, selected=selected, ours=(mark(value),))
        if selected.file not in self._kept:
            self._kept[selected.file] = backup_of(selected.file)
            self.changes.copy(selected.file, self._kept[selected.file], found.sha256)
        return Claim(selected=selected, backup=self._kept[selected.file], ours=(mark(value),))

    def give_back(self, claim: Claim) -> None:
        """What stood there before us, byte for byte, where nobody has changed it since."""
        selected = claim.selected
        try:
            content = self.contents.get(selected.file, self.look.file(selected.file).content)
            value = find(content, _selector(selected), selected.encoding).value
            if not claim.is_ours(value):
                self.left.append(f"{selected.told}: was changed by somebody else since; it stays as it is")
                return
            self.contents[selected.file] = self._restored(content, claim)
        except (EditError, ShareError) as error:
            self.left.append(f"{selected.told}: {error}")

    def _restored(self, content: bytes, claim: Claim) -> bytes:
        selected = claim.selected
        known = self.known.get((selected.file, selected.at))
        if kept := self.backups.files.get(claim.backup):
            found = find(kept.content, _selector(selected), selected.encoding)
            if known is None or known == found.value:
                return put_back(content, _selector(selected), found.raw, selected.encoding)
        if known is None:
            raise ShareError(
                f"its backup {claim.backup} is gone, and nobody remembers what stood there; set it by hand"
            )
        return with_value(content, _selector(selected), known, selected.encoding)

    def changed(self) -> dict[str, bytes]:
        """New bytes of the files that differ."""
        return {path: new for path, new in self.contents.items() if new != self.look.files[path].content}

    def either(self, before: Record, after: Record) -> tuple[Claim, ...]:
        """Claims while files are on their way: what stands in them may be the old value of ours or the new one."""
        wanted = {claim.selected.place for claim in after.claims}
        both = [claim for claim in before.claims if claim.selected.place not in wanted]
        for claim in after.claims:
            old = before.claim(claim.selected)
            both.append(replace(claim, ours=tuple(dict.fromkeys([*claim.ours, *(old.ours if old else ())]))))
        return tuple(both)


class _naming:
    """Says in which file and where an edit failed."""

    def __init__(self, selected: Selected) -> None:
        self._selected = selected

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, EditError):
            raise EditError(f"{self._selected.file}: {error}") from error


def _selector(selected: Selected) -> Selector:
    return Selector(format=selected.format, at=selected.at)


def _value(file: File, selected: Selected) -> str:
    with _naming(selected):
        return find(file.content, _selector(selected), selected.encoding).value
