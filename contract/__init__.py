"""What a stack tells others: the outputs, versioned and typed. Reads no settings, opens no socket."""
