"""What has to be so before the first `pulumi up` of a stack; asks everything, changes nothing."""
