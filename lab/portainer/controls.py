"""Resource controls: who may see a container, volume, network or stack."""

from __future__ import annotations

from lab.portainer.store import Record, Store

CONTAINER, SERVICE, VOLUME, NETWORK, SECRET, STACK, CONFIG, TEMPLATE = range(1, 9)
BUCKET = "resource_control"
LABELS = "io.portainer.accesscontrol."


def new(resource_id: str, kind: int, **fields: object) -> Record:
    """A control that nobody is named in; `fields` replace what differs."""
    return {
        "Id": 0,
        "ResourceId": resource_id,
        "SubResourceIds": [],
        "Type": kind,
        "UserAccesses": [],
        "TeamAccesses": [],
        "Public": False,
        "AdministratorsOnly": False,
        "System": False,
    } | fields


def private(resource_id: str, kind: int, user_id: int) -> Record:
    """For its maker, and for administrators."""
    return new(resource_id, kind, UserAccesses=[{"UserId": user_id, "AccessLevel": 1}])


def stack_resource(endpoint_id: int, name: str) -> str:
    """How a stack is called in its control."""
    return f"{endpoint_id}_{name}"


def add(store: Store, control: Record) -> Record:
    """Store a new control."""
    number = store.next_id(BUCKET)
    control = control | {"Id": number}
    store.write(BUCKET, number, control)
    return control


def find(store: Store, resource_id: str, kind: int) -> Record | None:
    """The control of a resource, the oldest when there are several."""
    found = (control for control in store.every(BUCKET) if _is_of(control, resource_id, kind))
    return next(found, None)


def of_stack(store: Store, stack: Record) -> Record | None:
    """The control of a stack."""
    return find(store, stack_resource(stack["EndpointId"], stack["Name"]), STACK)


def may_see(control: Record | None, user: Record, *, is_admin: bool) -> bool:
    """Whether a user may use what a control is about."""
    if is_admin:
        return True
    if control is None:
        return False
    named = any(entry["UserId"] == user["Id"] for entry in control["UserAccesses"])
    return bool(control["Public"] or control["System"] or named)


def from_labels(store: Store, labels: dict[str, str], resource_id: str, kind: int) -> Record | None:
    """A new control where labels ask for one: public, or for the users they name."""
    if f"{LABELS}public" in labels:
        return add(store, new(resource_id, kind, Public=True))
    names = {name.strip().lower() for name in labels.get(f"{LABELS}users", "").split(",")} - {""}
    if not names and not labels.get(f"{LABELS}teams"):
        return None
    users = [user["Id"] for user in store.every("users") if user["Username"].lower() in names]
    return add(store, new(resource_id, kind, UserAccesses=[{"UserId": user, "AccessLevel": 1} for user in users]))


def inherited(store: Store, labels: dict[str, str], endpoint_id: int) -> Record | None:
    """The control of the stack that labels say a resource belongs to."""
    for label in ("com.docker.stack.namespace", "com.docker.compose.project"):
        if label in labels:
            found = find(store, stack_resource(endpoint_id, labels[label]), STACK)
            if found:
                return found
    return None


def _is_of(control: Record, resource_id: str, kind: int) -> bool:
    return bool(control["Type"] == kind and control["ResourceId"] == resource_id)
