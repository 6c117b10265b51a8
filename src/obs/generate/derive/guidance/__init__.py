"""The words and queries of each runbook: what an alert means and what to do about it."""
