"""Specs for what is there already: from a running service, a contract, or the specs of sloth."""
