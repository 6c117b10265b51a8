"""Jobs: work that runs by schedule or from a queue, under `obs.job`."""

from __future__ import annotations

from obs.catalogue.signal import Counter, Gauge, Histogram, Label

#: Bounds in seconds for work that takes from a tenth of a second to an hour.
JOB_BUCKETS = (0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 1800.0, 3600.0)

JOB_NAME = Label("job.name", "Name of the job, as given to obs.job.", bounded=False)
RESULT = Label("result", "How the run ended.", ("success", "failure"))

RUNS = Counter(
    id="job.runs",
    metric="job_runs_total",
    help="Runs of a job that have ended.",
    unit="{run}",
    labels=(JOB_NAME, RESULT),
)
DURATION = Histogram(
    id="job.duration",
    metric="job_duration_seconds",
    help="Duration of the runs of a job.",
    labels=(JOB_NAME, RESULT),
    buckets=JOB_BUCKETS,
)
LAST_SUCCESS = Gauge(
    id="job.last_success",
    metric="job_last_success_timestamp_seconds",
    help="End of the last successful run, in seconds since the Unix epoch.",
    unit="s",
    labels=(JOB_NAME,),
    across="latest",
)
ACTIVE = Gauge(
    id="job.active",
    metric="job_active_runs",
    help="Runs of a job in progress.",
    unit="{run}",
    labels=(JOB_NAME,),
)
HEARTBEAT = Gauge(
    id="job.heartbeat",
    metric="job_heartbeat_timestamp_seconds",
    help="Last sign of life of a running job, in seconds since the Unix epoch.",
    unit="s",
    labels=(JOB_NAME,),
    across="latest",
)

SIGNALS = (RUNS, DURATION, LAST_SUCCESS, ACTIVE, HEARTBEAT)
