"""Being instrumented with obs itself."""
