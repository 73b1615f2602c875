"""Stand-ins for official parts that could not be had. For the lab only; each says so when it is used."""
