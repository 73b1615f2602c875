"""What can be wrong, one class per cause. Each message is `field: value, what is expected, what to do`."""

from __future__ import annotations


class HostingError(Exception):
    """Base of all refusals of hosting."""


class DatabaseRefused(HostingError):
    """The database cannot be used: bad URL, somebody else's file, a schema that does not fit."""


class DatabaseAway(HostingError):
    """The database does not answer. What was being written may or may not be there: look before asking again."""


class Busy(HostingError):
    """Others got in the way too often; nothing was changed."""


class OfferRefused(HostingError):
    """A host cannot be offered as it is described."""


class DemandRefused(HostingError):
    """A demand that could not be met on any host."""


class NameTaken(HostingError):
    """Another instance has the name."""


class KeyReused(HostingError):
    """The idempotency key belongs to another demand."""


class NoRoom(HostingError):
    """No host has room; says per host what is missing."""


class NotThere(HostingError):
    """No instance, or no host, of that name."""


class IllegalMove(HostingError):
    """A state that cannot follow the present one."""


class LockLost(HostingError):
    """The token presented is not, or no longer, the one that holds the instance."""


class Expired(HostingError):
    """The deadline has passed; only more time brings the instance back."""


class BeingDeleted(HostingError):
    """The instance is on its way out."""


class ExtensionRefused(HostingError):
    """Not a time that the deadline may be moved to."""
