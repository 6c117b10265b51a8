"""Taking messages from queues."""
