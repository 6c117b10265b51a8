"""Running tasks from a task queue, such as Celery's."""
