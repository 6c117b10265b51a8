"""What signals exist: the vocabulary that runtime and toolchain share. Standard library only."""

from obs.catalogue.registry import DOMAINS as DOMAINS
from obs.catalogue.registry import Registry as Registry
from obs.catalogue.registry import bundled as bundled
from obs.catalogue.signal import DIALECTS as DIALECTS
from obs.catalogue.signal import Counter as Counter
from obs.catalogue.signal import Dialect as Dialect
from obs.catalogue.signal import Gauge as Gauge
from obs.catalogue.signal import Histogram as Histogram
from obs.catalogue.signal import Label as Label
from obs.catalogue.signal import LogField as LogField
from obs.catalogue.signal import Signal as Signal
