"""Specs in YAML -> the model, with file, line and column on every error.

The keys of a spec; only `version` and `service` (name, team) are required::

    version: obs/v1
    extends: ./defaults.yml               # merged beneath this file, mapping by mapping
    service: {name, team, tier}
    contract: ./shop.contract.json        # from `obs catalogue export`; default: the bundled catalogue
    capabilities: [http, jobs, process]   # default: http, process; targets are always watched
    dialect: otel | classic
    telemetry: {path: scrape, interval: 15s, select: {service: NAME}}
    slos: {NAME: {objective: 99.9, window: 30d, min_bad_events: 3, sli: ...}}
        sli: {ratio: {total: SIGNAL, bad: {LABEL: VALUE or 5xx}}}
        sli: {latency: {signal: SIGNAL, under: 500ms}}      # a bound that the contract declares
    alerts: {NAME: {threshold, window, for, severity: page|ticket|none, disabled: "the reason"}}
    jobs: {NAME: {schedule: 24h, grace: 2h}}
    notify: {page: KIND-NAME, ticket: KIND-NAME, none: KIND-NAME}
    grouping: {wait: 30s, interval: 5m, repeat: 4h}
    links: {runbooks, grafana, prometheus, alertmanager, webhook}
    environments:
        NAME: {select, severity: {page: ticket}, interval: 15s, telemetry, alerts, jobs, links, grouping}

In an environment `interval` is how often alert rules are evaluated, and the other keys are laid upon
those of the spec. Signals and labels are the catalogue's dotted ids.
"""
