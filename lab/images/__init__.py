"""How guest images are made: a Debian tree with two faces, each built once and known by its recipe's hash."""
