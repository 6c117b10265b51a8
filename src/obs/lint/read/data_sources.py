"""Which data source a panel, variable or annotation asks, and in which language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from obs.lint.query import Language
from obs.lint.read.json_tree import Value

#: A reference to a variable: $name, ${name}, ${name:format}, [[name]], [[name:format]].
REFERENCE = re.compile(r"\$(?P<plain>\w+)|\$\{(?P<braced>\w+)(?:[.:][^}]*)?\}|\[\[(?P<old>\w+)(?::\w+)?\]\]")
#: Sources that Grafana itself answers for.
BUILT_IN = frozenset({"grafana", "-- Grafana --", "-- Mixed --", "-- Dashboard --", "__expr__", "datasource"})
_LANGUAGES: Mapping[str, Language] = {
    "prometheus": "promql",
    "grafana-amazonprometheus-datasource": "promql",
    "grafana-azureprometheus-datasource": "promql",
    "loki": "logql",
}
#: What only a query of logs holds.
_LOGS = re.compile(
    r"\|[=~]|\|\s*(?:json|logfmt|unpack|unwrap|line_format|label_format|pattern|regexp)\b"
    # A selector without the name of a metric is one of streams.
    r"|(?:^|[\s(,])\{[^{}]*\}\s*(?:\[|\||\Z)"
)


@dataclass(frozen=True, slots=True)
class DataSource:
    """Which data source answers: `uid` is its uid or name as written, a variable, or "" for the default."""

    type: str
    uid: str
    value: Value

    @property
    def variable(self) -> str:
        """Name of the variable that chooses it; "" when it is fixed."""
        match = REFERENCE.fullmatch(self.uid)
        return (match["plain"] or match["braced"] or match["old"]) if match else ""

    @property
    def built_in(self) -> bool:
        """Whether Grafana itself answers (annotations, other panels, expressions)."""
        return self.uid in BUILT_IN or self.type in BUILT_IN

    @property
    def fixed(self) -> bool:
        """Whether it names one server of one installation."""
        return bool(self.uid) and not self.variable and not self.built_in


def data_source(value: Value, types: Mapping[str, str] | None = None) -> DataSource:
    """Return the data source that is written there; `types` are those of variables."""
    if isinstance(value.data, dict):
        kind, uid = value.word("type"), value.word("uid")
    else:
        kind, uid = "", value.text if value.text not in {"default", "null"} else ""
    source = DataSource(kind, uid, value)
    if kind or not uid:
        return source
    if source.variable:
        return DataSource((types or {}).get(source.variable, ""), uid, value)
    if source.built_in:
        return source
    return DataSource(
        next((known for known in ("prometheus", "loki", "tempo") if known in uid.lower()), ""), uid, value
    )


def language_of(source: DataSource, text: Value) -> tuple[Language, bool]:
    """Return what a query is written in, and whether that is declared and not guessed from its text."""
    if source.type and source.type not in BUILT_IN:
        return _LANGUAGES.get(source.type, ""), True
    if source.uid and source.built_in and source.uid != "-- Mixed --":
        return "", True
    if text.way[-1:] != ("expr",) or not text.text.strip():
        return "", False
    return ("logql" if _LOGS.search(text.text) else "promql"), False


def types_of(root: Value) -> dict[str, str]:
    """Return the type of data source that each variable and input stands for."""
    return inputs_of(root) | {
        variable["name"].text: variable["query"].text
        for variable in root["templating"]["list"]
        if variable["type"].text == "datasource"
    }


def inputs_of(root: Value) -> dict[str, str]:
    """Return the names that an import fills in, with the type of data source, "" for constants."""
    return {item["name"].text: item["pluginId"].text for item in root["__inputs"] if item["name"].text}
