"""What stays quiet because something else says more: never more than the same trouble of the same service."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.jobs import JOB_NAME
from obs.generate.render.yaml_writer import Yaml

#: Nothing of the service answers any more: what its other alerts say follows from that.
ALL_DOWN = "JobAllTargetsDown"
#: Trouble that dead targets do not cause: it is as true, and as urgent, as before.
_INDEPENDENT = ("backups", "security", "tls")
#: What says that notifications do not arrive may itself never be held back.
_NEVER = ("AlertmanagerNotifyFailing", "PrometheusAlertsDropped", "PrometheusNoAlertmanager", "Watchdog")
_SAME = ("service", "environment")


def rules(stronger: Sequence[tuple[str, str]], group_labels: Sequence[str]) -> list[Yaml]:
    """Return the inhibition rules.

    Each asks both sides for a service: Alertmanager counts a label that both lack as equal, so that an
    alert without one would silence every other without one.
    """
    namesakes = sorted({"instance", JOB_NAME.named(), "sloth_id", *group_labels})
    return [
        {
            "source_matchers": [f'alertname="{ALL_DOWN}"', 'service!=""'],
            "target_matchers": [
                'service!=""',
                f'alertname!~"{"|".join((ALL_DOWN, *_NEVER))}"',
                f'category!~"{"|".join(_INDEPENDENT)}"',
            ],
            "equal": list(_SAME),
        },
        *(
            {
                "source_matchers": [f'alertname="{page}"', 'severity="page"', 'service!=""'],
                "target_matchers": [f'alertname="{ticket}"', 'severity="ticket"', 'service!=""'],
                "equal": sorted({*_SAME, *namesakes}),
            }
            for page, ticket in sorted(stronger)
        ),
    ]
