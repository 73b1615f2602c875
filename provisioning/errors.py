"""One exception for everything that provisioning could not do."""


class ProvisioningError(Exception):
    """The text is for the operator: what failed, where, why, and what to do. It holds no secret."""
