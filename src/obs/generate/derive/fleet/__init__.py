"""What belongs to no single service: the heartbeat."""
