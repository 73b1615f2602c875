"""The error of edits."""

from provisioning.errors import ProvisioningError


class EditError(ProvisioningError):
    """A value that could not be found or written. It begins with the selector or the field, and holds no value."""
