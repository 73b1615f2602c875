"""One stack brought to the commit that its source is at, or kept at the last one that was good."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from provisioning.errors import ProvisioningError
from provisioning.gate.candidate import Candidate, Refusal, folder_of, key_of, prepare, released
from provisioning.gate.config import Gated
from provisioning.gate.deployment import Deployment, DoesNotRun, NotYet, watch_of
from provisioning.gate.engine import Engine, EngineError, pull
from provisioning.gate.mirror import Mirror
from provisioning.gate.stages import stages
from provisioning.gate.state import Refused, State, Store, Trying, Version, now
from provisioning.gate.watch import Watch
from provisioning.git import GitError, Repository


@dataclass
class Rollout:
    """Works on one stack, whose lock is held."""

    stack: Gated
    store: Store
    mirror: Mirror
    engine: Engine
    source: Repository
    salt: bytes
    tell: Callable[[str], None] = lambda text: None

    def turn(self, by: str, *, forced: bool = False, retry: bool = True) -> State:
        """Look at the source, and do what follows. `forced`: whatever was refused, held or stopped before."""
        state = self.store.load()
        if state.trying:
            state = self._go_on(state, resumed=True)
        try:
            head = self.source.head(self.stack.ref)
            gone = f"{self.stack.url}: has no {self.stack.ref} any more; push it again, or change `ref`"
            state = self._saw(state, head or state.asked, "" if head else gone)
            if head is None or not self._is_new(state, head, forced=forced, retry=retry):
                return self._heal(state) if forced else state
            is_stopped = self._is_stopped(state)
            if is_stopped and not forced:
                return state
            return self._advance(state, by, waits=is_stopped)
        except GitError as error:
            return self._saw(state, state.asked, str(error))

    def rollback(self, to: str, by: str) -> State:
        """Bring back a version that ran: of commit `to`, or the one before. It stays until another commit comes."""
        state = self.store.load()
        version = self.store.ran(to) if to else state.before
        if version is None:
            ran = [
                str(event["version"]["commit"])[:10] for event in self.store.history() if event["result"] == "running"
            ]
            expected = ", ".join(dict.fromkeys(reversed(ran))) or "none has run"
            raise ProvisioningError(f"TO={to or '(the one before)'}: no such version, expected one of: {expected}")
        for image in set(version.images.values()):
            if not self.engine.has(image):
                pull(image)
        text = self.mirror.text(version.release)
        release = self.mirror.prepare(text, f"Rollback to {version.commit}\n\nBy: {by}")
        trying = Trying(version=replace(version, release=release, by=by), back=False, began=now())
        asked = state.asked or (state.good.commit if state.good else "")
        return self._go_on(self.store.save(state, trying=trying, held=asked, refused=None))

    def probe(self, state: State) -> State:
        """Look at what was released just now; what crashes so soon goes back to the one before."""
        if state.good is None or state.trying:
            return state
        watch = self._watch()
        watch.look()
        failed = watch.failed(state.good, ran=True)
        if not failed or state.before is None:
            return state
        bad = state.good
        state = self.store.save(state, good=state.before, before=None)
        return self._fail(state, bad, "; ".join(failed), again=False)

    def look_at_tags(self, state: State, by: str) -> State:
        """Notice tags that were pushed again; deployed where that was said, else told."""
        good = state.good
        if good is None or state.trying:
            return state
        now_ = {}
        for service, tag in good.tags.items():
            if "@sha256:" in tag or "@sha256:" not in good.images.get(service, ""):
                continue
            try:
                image = f"{tag}@{pull(tag)}"
            except EngineError:
                continue  # the registry is away: what runs needs it not
            if image != good.images[service]:
                now_[service] = image
        have_failed = state.refused and now_.items() <= state.refused.images.items()
        is_wanted = self.stack.repushed == "deploy" and self.stack.running and state.held != state.asked
        if now_ and is_wanted and not have_failed:
            return self._advance(state, f"{by}: a tag was pushed again")
        return state if now_ == state.repushed else self.store.save(state, repushed=now_)

    def _is_new(self, state: State, head: str, *, forced: bool, retry: bool) -> bool:
        """Whether there is something to deploy."""
        key = key_of(self.stack, head, self.salt)
        current = state.trying.version if state.trying else state.good
        if not self.stack.running or (head == state.held and not forced):
            return False
        if current and current.key == key:
            return False
        was_refused = state.refused and state.refused.key == key
        return forced or not was_refused or bool(state.refused and state.refused.again and retry)

    def _is_stopped(self, state: State) -> bool:
        """Somebody has taken it down on purpose: it would be wrong to start it."""
        return state.good is not None and not state.trying and not self.engine.containers(self.stack.name)

    def _heal(self, state: State) -> State:
        """What ought to run and does not is released anew."""
        watch = self._watch()
        watch.look()
        is_stopped = not self.stack.running or not watch.found
        if is_stopped or state.trying or state.good is None or not list(watch.missing(state.good)):
            return state
        return self._return_to(state, state.good, "some of it did not run any more")

    def _advance(self, state: State, by: str, *, waits: bool = False) -> State:
        """Release what the source is at now."""
        self.tell("reading the commit")
        snapshot = self.source.fetch(self.stack.ref, folder_of(self.stack))
        self.tell(f"{snapshot.commit[:10]}: looking at its files, fetching its images")
        try:
            candidate = prepare(self.stack, snapshot, self.engine, salt=self.salt, by=by)
            candidate = self._prepared(candidate)
        except Refusal as refusal:
            return self._refused(state, snapshot.commit, refusal)
        trying = Trying(version=candidate.version, back=False, began=now(), waits=waits)
        state = self.store.save(state, trying=trying, held="", repushed={})
        try:
            if not waits:
                self._in_stages(state, candidate)
        except DoesNotRun as error:
            return self._fail(state, candidate.version, str(error), again=error.again)
        return self._go_on(state)

    def _prepared(self, candidate: Candidate) -> Candidate:
        version = candidate.version
        return released(
            candidate, self.mirror.prepare(candidate.text, f"Release of {version.commit}\n\nBy: {version.by}")
        )

    def _refused(self, state: State, commit: str, refusal: Refusal) -> State:
        key = key_of(self.stack, commit, self.salt)
        tries, reason = _tries(state, key), self._hidden(str(refusal))
        if tries == 1:
            nothing = Version(
                commit=commit,
                author="",
                subject="",
                key=key,
                release="",
                images={},
                marks={},
                scales={},
                tags={},
                by="",
            )
            self.store.record(nothing, "refused", reason=reason)
        refused = Refused(commit=commit, key=key, reason=reason, again=refusal.again, tries=tries)
        return self.store.save(state, asked=commit, refused=refused)

    def _go_on(self, state: State, *, resumed: bool = False) -> State:
        """From wherever it was left: the ref is moved, Portainer told, the containers watched."""
        trying = state.trying
        if trying is None:
            return state
        self.mirror.publish(trying.version.release)
        return self._go_back(state, trying) if trying.back else self._go_forward(state, trying, resumed=resumed)

    def _go_forward(self, state: State, trying: Trying, *, resumed: bool) -> State:
        version, began = trying.version, time.monotonic()
        if trying.waits and not self.engine.containers(self.stack.name):
            return state
        try:
            self._deployment().bring_up(version, trying.began, is_first=state.good is None, resumed=resumed)
        except NotYet:
            return state
        except DoesNotRun as error:
            return self._fail(state, version, str(error), again=error.again)
        seconds = round(time.monotonic() - began, 1)
        self.store.record(version, "running", seconds=seconds)
        same = state.good and state.good.key == version.key
        before = state.before if same else state.good
        return self.store.save(state, good=version, before=before, trying=None, refused=None, since=now())

    def _in_stages(self, state: State, candidate: Candidate) -> None:
        """What comes before the release itself, where services wait for each other. Raises DoesNotRun."""
        if state.good is None:
            return
        for stage in stages(candidate, state.good, self.mirror.text(state.good.release)):
            began = now()
            release = self.mirror.prepare(stage.text, f"On the way to {candidate.version.commit}")
            self.mirror.publish(release)
            self._deployment().bring_up(replace(stage.version, release=release), began)

    def _fail(self, state: State, version: Version, reason: str, *, again: bool) -> State:
        """It does not run; what ran before comes back."""
        reason = self._hidden(reason)
        self.tell(f"{version.commit[:10]}: failed; bringing back what ran before")
        self.store.record(version, "failed", reason=reason)
        refused = Refused(
            commit=version.commit,
            key=version.key,
            reason=reason,
            again=again,
            ran=True,
            tries=_tries(state, version.key),
            images=version.images,
        )
        if state.good is None:
            return self.store.save(state, trying=None, refused=refused)
        return self._return_to(self.store.save(state, refused=refused), state.good, f"{version.commit} failed")

    def _return_to(self, state: State, version: Version, why: str) -> State:
        """Release a version that ran once more."""
        release = self.mirror.prepare(self.mirror.text(version.release), f"Back to {version.commit}: {why}")
        trying = Trying(version=replace(version, release=release), back=True, reason=why, began=now())
        return self._go_on(self.store.save(state, trying=trying))

    def _go_back(self, state: State, trying: Trying) -> State:
        """The version before is released; when that takes too long, the next turn goes on with it."""
        done = self._deployment().bring_back(trying.version, trying.began)
        if done is None:
            return state
        self.store.record(trying.version, "back", seconds=done.seconds, alone=done.alone)
        return self.store.save(state, good=trying.version, trying=None)

    def _deployment(self) -> Deployment:
        return Deployment(self.stack, self.store, self.mirror, self.engine, self.tell)

    def _saw(self, state: State, asked: str, error: str) -> State:
        error = self._hidden(error)
        if (state.asked, state.source_error) == (asked, error):
            return state
        return self.store.save(state, asked=asked, source_error=error)

    def _watch(self) -> Watch:
        return watch_of(self.engine, self.stack)

    def _hidden(self, text: str) -> str:
        for secret in sorted(filter(None, self.stack.secrets), key=len, reverse=True):
            text = text.replace(secret, "***")
        return text[:2000]


def _tries(state: State, key: str) -> int:
    return state.refused.tries + 1 if state.refused and state.refused.key == key else 1
