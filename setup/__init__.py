"""Set-up and driver: from a bare Python to a working engine, its plugins and one stack on one site."""
