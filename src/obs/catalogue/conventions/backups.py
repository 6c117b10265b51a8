"""Backups: when the last one ended well, and how large it was."""

from __future__ import annotations

from obs.catalogue.signal import Gauge, Label

BACKUP = Label("backup", "What is backed up, such as orders-db.", bounded=False)

LAST_SUCCESS = Gauge(
    id="backup.last_success",
    metric="backup_last_success_timestamp_seconds",
    help="End of the last backup that worked, in seconds since the Unix epoch.",
    unit="s",
    labels=(BACKUP,),
    across="latest",
)
LAST_SIZE = Gauge(
    id="backup.last_size",
    metric="backup_last_size_bytes",
    help="Size of the last backup that worked.",
    unit="By",
    labels=(BACKUP,),
    across="latest",
)

SIGNALS = (LAST_SUCCESS, LAST_SIZE)
