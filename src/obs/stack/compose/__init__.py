"""The stack as containers: `docker compose`, driven as a program."""
