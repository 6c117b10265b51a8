"""Facts of the stack (ports, names, versions) and the native runtime of its engines."""
