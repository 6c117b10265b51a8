"""The narrow waist of the generator: what a spec says and what is derived from it, as frozen values.

Readers (`spec`) fill the upper half, `derive` the lower half, `render` turns it into artefacts::

    Spec files -> Service (Slo, Job, Tuning, Links) -> Alert, RuleFile, Dashboard, Runbook -> Artefact

Nothing here does I/O. Every value that a person wrote knows its `Place`.
"""

from obs.generate.model.alert import FLEET as FLEET
from obs.generate.model.alert import PANEL_OF as PANEL_OF
from obs.generate.model.alert import Alert as Alert
from obs.generate.model.alert import Category as Category
from obs.generate.model.alert import Expectation as Expectation
from obs.generate.model.alert import Firing as Firing
from obs.generate.model.alert import RecordingRule as RecordingRule
from obs.generate.model.alert import RuleFile as RuleFile
from obs.generate.model.alert import RuleGroup as RuleGroup
from obs.generate.model.alert import Series as Series
from obs.generate.model.alert import TestCase as TestCase
from obs.generate.model.alert import Threshold as Threshold
from obs.generate.model.page import Action as Action
from obs.generate.model.page import Artefact as Artefact
from obs.generate.model.page import Dashboard as Dashboard
from obs.generate.model.page import Panel as Panel
from obs.generate.model.page import PanelThreshold as PanelThreshold
from obs.generate.model.page import Query as Query
from obs.generate.model.page import Row as Row
from obs.generate.model.page import Runbook as Runbook
from obs.generate.model.page import Step as Step
from obs.generate.model.page import dashboard_uid as dashboard_uid
from obs.generate.model.page import panel_id as panel_id
from obs.generate.model.place import Duration as Duration
from obs.generate.model.place import Place as Place
from obs.generate.model.service import CAPABILITIES as CAPABILITIES
from obs.generate.model.service import RECEIVER_KINDS as RECEIVER_KINDS
from obs.generate.model.service import SEVERITIES as SEVERITIES
from obs.generate.model.service import Grouping as Grouping
from obs.generate.model.service import Job as Job
from obs.generate.model.service import LatencySli as LatencySli
from obs.generate.model.service import Links as Links
from obs.generate.model.service import RatioSli as RatioSli
from obs.generate.model.service import Service as Service
from obs.generate.model.service import Severity as Severity
from obs.generate.model.service import Slo as Slo
from obs.generate.model.service import Tuning as Tuning
