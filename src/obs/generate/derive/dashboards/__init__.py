"""Dashboards: one a service, one of all services, one of all objectives."""
