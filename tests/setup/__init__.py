"""Tests of the set-up: decisions, refusals and stand-ins. No network but loopback."""
