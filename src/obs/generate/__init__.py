"""From a service spec to dashboards, rules, tests, routes and runbooks."""
