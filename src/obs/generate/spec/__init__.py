"""Specs in YAML -> the model, with file, line and column on every error.

The keys of a spec; only `version` and `service` (name, team) are required::

    version: obs/v1
    extends: ./defaults.yml               # or a list; merged beneath this file, mapping by mapping
    service: {name, team, tier}
    owners: {chat: "#team", email, rota: URL, escalation: [whom to call next]}
    contract: ./shop.contract.json        # from `obs catalogue export`; default: the bundled catalogue;
                                          # none: only what `mapping` names exists
    dialect: otel | classic
    mapping:                              # a team's own metrics in the roles of signals
        SIGNAL:
            metric: NAME                  # of a histogram without _bucket
            labels: {LABEL: name, LABEL: {label: name, values: class or {VALUE: [its values]}}}
            match: {label: value}         # what else must hold of the series
            bad: {metric: NAME, when: {LABEL: VALUE or 5xx or "*"}}   # bad events have a metric of their own
            unit: s | ms | us | ns        # of a histogram
            buckets: [0.1, 0.5, 1]        # of a histogram, required, in the metric's own unit
    capabilities: [http, jobs, process]   # default: http, process; targets are always watched
    telemetry: {path: scrape, interval: 15s, query_offset: 30s, select: {service: NAME}}
    slos: {NAME: {objective: 99.9, window: 30d, by, max_groups, min_bad_events, exclude, sli}}
        sli: {ratio: {total: SIGNAL, bad: {LABEL: VALUE or 5xx}}}
        sli: {latency: {signal: SIGNAL, under: 500ms, buckets: classic | native}}
        sli: {freshness: {signal: SIGNAL, under: 1h, where: {LABEL: VALUE}}}
        sli: {custom: {total: PROMQL, bad: PROMQL, series: {good: SELECTOR, bad: SELECTOR}}}
    alerts: {NAME: {threshold, window, for, severity: page|ticket|none, disabled: "the reason", until: DATE}}
    custom_alerts:
        NAME:
            expr: PROMQL                  # proven, and narrowed to the series of the service
            for, keep_firing_for, severity, category, summary, description, labels, unit
            tests: [{name, interval: 1m, series: {SELECTOR: 0+60x30}, silent_at, pending_at, fires_at, count}]
            runbook: ./runbooks/NAME.md   # with ## Meaning, ## Impact, ## Diagnosis and ## Mitigation
            disabled: "the reason"
    jobs: {NAME: {schedule: 24h, grace: 2h}}
    downtime: {NAME: {days: [sunday] or dates: [2026-12-31], from: "02:00", to: "04:00", reason}}   # UTC
    dashboard: {rows: [{title, panels: [{title, description, unit, expr, legend} or with queries: [...]]}]}
    notify: {page: KIND-NAME, ticket: KIND-NAME, none: KIND-NAME, ...}
    grouping: {wait: 30s, interval: 5m, repeat: 4h}
    links: {runbooks, grafana, prometheus, alertmanager, webhook, logs, traces}
    kubernetes: {namespace, ...}          # see `spec.kubernetes`
    environments:
        NAME: {select, severity: {page: ticket}, interval: 15s, ...}

In an environment `interval` is how often alert rules are evaluated; `telemetry`, `slos`, `alerts`,
`custom_alerts`, `jobs`, `downtime`, `notify`, `grouping`, `links` and `kubernetes` are laid upon those of the spec.
Signals and labels are the catalogue's dotted ids. Every environment is checked, whichever is chosen.
"""
