"""Holding websocket connections."""
