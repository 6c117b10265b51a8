"""Engines provoked into telling all that our rules ask, and what they then tell, captured as data."""
