"""Judges specs, rules, dashboards, routes and runbooks offline: ours, and files that we did not write.

Files are detected by their content and read into plain values with places (`read`); each check (`checks`,
one a file) looks at all of them at once and yields findings; `run` applies comments, settings and baseline.
"""
