"""Pure maths: which rule, test, panel and runbook follows from which signal."""
