"""How each server of the native stack is started: its program, arguments, files and checks, one file a server."""
