"""Everything Alertmanager reads: its configuration, its templates, and the tests of its routes."""

from obs.generate.render.alertmanager.config import HEARTBEAT as HEARTBEAT
from obs.generate.render.alertmanager.config import render as render
