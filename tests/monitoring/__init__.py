"""Alerts, dashboards and runbooks."""
