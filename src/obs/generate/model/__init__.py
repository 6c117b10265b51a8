"""The narrow waist of the generator: what a spec says and what is derived from it, as frozen values.

Readers (`spec`) fill the upper half, `derive` the lower half, `render` turns it into artefacts::

    Spec files -> Service (Slo, Job, Tuning, Links) -> Alert, RuleFile, Dashboard, Runbook -> Artefact

Nothing here does I/O. Every value that a person wrote knows its `Place`.
"""

from obs.generate.model.alert import FLEET as FLEET
from obs.generate.model.alert import SAMPLE_SEEN as SAMPLE_SEEN
from obs.generate.model.alert import Alert as Alert
from obs.generate.model.alert import Expectation as Expectation
from obs.generate.model.alert import Firing as Firing
from obs.generate.model.alert import Kind as Kind
from obs.generate.model.alert import RecordingRule as RecordingRule
from obs.generate.model.alert import RuleFile as RuleFile
from obs.generate.model.alert import RuleGroup as RuleGroup
from obs.generate.model.alert import Series as Series
from obs.generate.model.alert import Skipped as Skipped
from obs.generate.model.alert import TestCase as TestCase
from obs.generate.model.alert import Threshold as Threshold
from obs.generate.model.custom import CustomAlert as CustomAlert
from obs.generate.model.custom import CustomTest as CustomTest
from obs.generate.model.custom import ExtraPanel as ExtraPanel
from obs.generate.model.custom import ExtraRow as ExtraRow
from obs.generate.model.custom import State as State
from obs.generate.model.downtime import Downtime as Downtime
from obs.generate.model.kubernetes import Kubernetes as Kubernetes
from obs.generate.model.logs import LogBurst as LogBurst
from obs.generate.model.logs import LogCase as LogCase
from obs.generate.model.logs import LogFact as LogFact
from obs.generate.model.mapping import MappedLabel as MappedLabel
from obs.generate.model.mapping import MappedSignal as MappedSignal
from obs.generate.model.owner import Owner as Owner
from obs.generate.model.page import Action as Action
from obs.generate.model.page import Artefact as Artefact
from obs.generate.model.page import Runbook as Runbook
from obs.generate.model.page import Step as Step
from obs.generate.model.panel import PANEL_KINDS as PANEL_KINDS
from obs.generate.model.panel import Annotation as Annotation
from obs.generate.model.panel import Column as Column
from obs.generate.model.panel import Dashboard as Dashboard
from obs.generate.model.panel import Panel as Panel
from obs.generate.model.panel import PanelKind as PanelKind
from obs.generate.model.panel import PanelThreshold as PanelThreshold
from obs.generate.model.panel import Query as Query
from obs.generate.model.panel import Row as Row
from obs.generate.model.panel import Source as Source
from obs.generate.model.panel import Variable as Variable
from obs.generate.model.panel import dashboard_uid as dashboard_uid
from obs.generate.model.panel import panel_id as panel_id
from obs.generate.model.place import Duration as Duration
from obs.generate.model.place import Place as Place
from obs.generate.model.routing import ALERTMANAGER_FLOOR as ALERTMANAGER_FLOOR
from obs.generate.model.routing import RECEIVER_KINDS as RECEIVER_KINDS
from obs.generate.model.routing import WEEKDAYS as WEEKDAYS
from obs.generate.model.routing import Grouping as Grouping
from obs.generate.model.routing import Hours as Hours
from obs.generate.model.routing import Links as Links
from obs.generate.model.routing import Routing as Routing
from obs.generate.model.service import CAPABILITIES as CAPABILITIES
from obs.generate.model.service import Job as Job
from obs.generate.model.service import Service as Service
from obs.generate.model.service import Tuning as Tuning
from obs.generate.model.severity import SEVERITIES as SEVERITIES
from obs.generate.model.severity import Severity as Severity
from obs.generate.model.slo import DEFAULT_MAX_GROUPS as DEFAULT_MAX_GROUPS
from obs.generate.model.slo import WINDOW_HOLE as WINDOW_HOLE
from obs.generate.model.slo import Buckets as Buckets
from obs.generate.model.slo import CustomSli as CustomSli
from obs.generate.model.slo import FreshnessSli as FreshnessSli
from obs.generate.model.slo import LabelValues as LabelValues
from obs.generate.model.slo import LatencySli as LatencySli
from obs.generate.model.slo import RatioSli as RatioSli
from obs.generate.model.slo import Sli as Sli
from obs.generate.model.slo import Slo as Slo
