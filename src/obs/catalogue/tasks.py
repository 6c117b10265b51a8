"""Tasks: work that waits in a queue until a worker takes it, such as Celery's."""

from __future__ import annotations

from obs.catalogue.jobs import JOB_BUCKETS
from obs.catalogue.signal import Counter, Gauge, Histogram, Label

#: Bounds in seconds for waiting in a queue: from at once to an hour.
QUEUE_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)

TASK = Label("task.name", "Name under which the task is registered.", bounded=False)
OUTCOME = Label(
    "outcome", "How the run ended.", ("success", "failure", "retry", "ignored", "rejected", "revoked")
)

PUBLISHED = Counter(
    id="task.published",
    metric="task_published_total",
    help="Tasks handed to the queue.",
    unit="{task}",
    labels=(TASK,),
)
RUNS = Counter(
    id="task.runs",
    metric="task_runs_total",
    help="Runs of a task that have ended; a retry is a run of its own.",
    unit="{run}",
    labels=(TASK, OUTCOME),
)
DURATION = Histogram(
    id="task.duration",
    metric="task_duration_seconds",
    help="Duration of the runs of a task.",
    labels=(TASK, OUTCOME),
    buckets=JOB_BUCKETS,
)
QUEUE_TIME = Histogram(
    id="task.queue_time",
    metric="task_queue_time_seconds",
    help="Time between publishing a task (or the moment it was due) and the start of its run.",
    labels=(TASK,),
    buckets=QUEUE_BUCKETS,
)
ACTIVE = Gauge(
    id="task.active",
    metric="task_active_runs",
    help="Runs of a task in progress.",
    unit="{run}",
    labels=(TASK,),
)

SIGNALS = (PUBLISHED, RUNS, DURATION, QUEUE_TIME, ACTIVE)
