"""What services can do; each folder brings its alerts, stories, panels and runbooks."""
