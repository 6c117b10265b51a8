"""Work that runs by schedule."""
