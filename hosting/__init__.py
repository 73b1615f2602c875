"""Products on demand: which instance runs where, on which ports, until when. Rows and decisions; touches no host."""
