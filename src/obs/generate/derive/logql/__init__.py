"""LogQL, as much of it as obs writes: parsed, proven against the fields of our log lines, printed."""

from obs.generate.derive.logql.checking import checked as checked
from obs.generate.derive.logql.grammar import parse as parse
from obs.generate.derive.logql.printing import printed as printed
