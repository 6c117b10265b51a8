"""The routes by which an engine comes to this machine: one file each."""
