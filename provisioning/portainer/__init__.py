"""Portainer's HTTP API: access, environments, registries, stacks, and the containers behind them."""
