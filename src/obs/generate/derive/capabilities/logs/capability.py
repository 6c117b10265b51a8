"""What a service brings whose log lines reach Loki; its alerts stand in `table`, for they are no PromQL."""

from __future__ import annotations

from obs.generate.derive.capabilities.capability import Capability

CAPABILITY = Capability(name="logs", category="logs")
