"""Alertmanager's configuration as plain values with places; what routes inherit is filled in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from obs.lint.query import Query
from obs.lint.read.fault import Fault
from obs.lint.read.matchers import Matcher, Operator, compiled, parse
from obs.lint.read.yaml_tree import Entry, Node, repeated_below
from obs.lint.source import Source, Span, Text

#: Alertmanager's own, where no route says otherwise.
DEFAULT_TIMES = {"group_wait": "30s", "group_interval": "5m", "repeat_interval": "4h"}
_INHERITED = ("group_wait", "group_interval", "repeat_interval")


@dataclass(frozen=True, slots=True)
class Written:
    """A matcher with the place of its text; `legacy` when it stands under `match` or `match_re`."""

    matcher: Matcher
    text: Text
    legacy: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """One route with what it inherits."""

    node: Node
    #: Name of the receiver, inherited when it names none.
    receiver: str
    written: tuple[Written, ...]
    #: In the order in which they are asked.
    routes: tuple[Route, ...]
    #: Whether `continue` lets an alert go on to the next sibling.
    goes_on: bool
    group_by: tuple[str, ...]
    times: Mapping[str, str]
    #: The keys that stand here and are not inherited.
    own: Mapping[str, Entry]
    #: 0 for the root.
    depth: int = 0

    @property
    def matchers(self) -> tuple[Matcher, ...]:
        """What an alert must meet."""
        return tuple(written.matcher for written in self.written)

    @property
    def words(self) -> str:
        """The route as a sentence names it."""
        return "{" + ", ".join(map(str, self.matchers)) + "}" if self.written else "route without matchers"

    @property
    def all(self) -> Iterator[Route]:
        """This route and every one below it, each before its children."""
        yield self
        for route in self.routes:
            yield from route.all


@dataclass(frozen=True, slots=True)
class Receiver:
    """One receiver with its integrations: (kind, settings)."""

    name: str
    span: Span
    integrations: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Inhibition:
    """One rule by which some alerts silence others."""

    node: Node
    source: tuple[Written, ...]
    target: tuple[Written, ...]
    equal: tuple[str, ...]
    own: Mapping[str, Entry]


@dataclass(frozen=True, slots=True)
class Configuration:
    """One file."""

    source: Source
    root: Node
    #: None when the file has no route.
    route: Route | None
    receivers: tuple[Receiver, ...]
    inhibitions: tuple[Inhibition, ...]
    #: Names under time_intervals and mute_time_intervals.
    intervals: tuple[Text, ...] = ()
    faults: tuple[Fault, ...] = ()
    #: Only a part: what its route declines goes on in a configuration that is not here.
    is_part: bool = False

    @property
    def queries(self) -> Iterator[Query]:
        """None: matchers are no queries."""
        return iter(())

    def receiver(self, name: str) -> Receiver | None:
        """Return the receiver of that name."""
        return next((receiver for receiver in self.receivers if receiver.name == name), None)

    @property
    def tells_somebody(self) -> bool:
        """Whether any of its receivers has an integration."""
        return any(receiver.integrations for receiver in self.receivers)

    def silent(self, name: str) -> bool:
        """Tell whether a receiver is defined and tells nobody."""
        found = self.receiver(name)
        return found is not None and not found.integrations


def is_configuration(document: Node) -> bool:
    """Tell whether a YAML document configures an Alertmanager."""
    keys = document.keys
    return "route" in keys and ("receivers" in keys or "inhibit_rules" in keys)


def read(source: Source, documents: Sequence[Node]) -> Configuration:
    """Return the configuration in the first document; what is broken in it becomes a fault."""
    reader = Reader()
    root = documents[0]
    keys = root.keys
    for document in documents[1:]:
        reader.fault("Alertmanager reads one document a file, this is another", document)
    route = keys.get("route")
    if route is not None:
        reader.root(route.node)
    for entry in repeated_below(root):
        reader.faults.append(Fault(f"key {entry.name!r} is given twice", entry.key.span))
    names: set[str] = set()
    receivers = tuple(reader.receiver(node) for node in items(keys.get("receivers")))
    for receiver in receivers:
        if not receiver.name:
            reader.faults.append(Fault("a receiver without a name", receiver.span))
        elif receiver.name in names:
            reader.faults.append(Fault(f"receiver {receiver.name!r} is defined twice", receiver.span))
        names.add(receiver.name)
    return Configuration(
        source=source,
        root=root,
        route=reader.route(route.node, None) if route else None,
        receivers=receivers,
        inhibitions=tuple(reader.inhibition(node) for node in items(keys.get("inhibit_rules"))),
        intervals=named(keys, "time_intervals", "mute_time_intervals"),
        faults=tuple(reader.faults),
    )


def named(keys: Mapping[str, Entry], *lists: str) -> tuple[Text, ...]:
    """Return the names of what the lists under `lists` define."""
    return tuple(
        text
        for key in lists
        for node in items(keys.get(key))
        if (text := value(node.keys.get("name"))) is not None
    )


def value(entry: Entry | None) -> Text | None:
    """Return the scalar of an entry, or None."""
    return entry.node.text if entry is not None else None


def word(entry: Entry | None) -> str:
    """Return the text of a scalar; "" for anything else."""
    text = value(entry)
    return text.value if text is not None else ""


def texts(entry: Entry | None) -> tuple[Text, ...]:
    """Return the scalars of a list, or the one that stands there alone."""
    if entry is None:
        return ()
    nodes = entry.node.items if entry.node.is_list else (entry.node,)
    return tuple(text for node in nodes if (text := node.text) is not None)


class Reader:
    """Reads the parts of a configuration; what Alertmanager would refuse is gathered in `faults`."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def keys(self, node: Node) -> Mapping[str, Entry]:
        """Return the entries of a mapping under the names that Alertmanager gives them."""
        return node.keys

    def fault(self, message: str, node: Node) -> None:
        """Note something that Alertmanager would refuse."""
        self.faults.append(Fault(message, node.span))

    def root(self, node: Node) -> None:
        """Find what Alertmanager refuses in the first route, which takes every alert."""
        keys = node.keys
        if not word(keys.get("receiver")):
            self.faults.append(Fault("the first route names no receiver", node.span))
        for key in (
            "matchers",
            "match",
            "match_re",
            "continue",
            "mute_time_intervals",
            "active_time_intervals",
        ):
            if key in keys:
                hint = "it takes every alert; put this into a route below it"
                self.faults.append(Fault(f"the first route has no {key}", keys[key].key.span, hint))

    def route(self, node: Node, parent: Route | None) -> Route:
        """Return a route and all below it, with what it inherits from `parent`."""
        own = self.keys(node)
        times = dict(parent.times if parent else DEFAULT_TIMES)
        times |= {key: found for key in _INHERITED if (found := word(own.get(key)))}
        group_by = tuple(text.value for text in texts(own.get("group_by")))
        above = Route(
            node=node,
            receiver=word(own.get("receiver")) or (parent.receiver if parent else ""),
            written=self.matchers(own, "matchers", "match", "match_re"),
            routes=(),
            goes_on=word(own.get("continue")).lower() == "true",
            group_by=group_by if "group_by" in own or parent is None else parent.group_by,
            times=times,
            own=own,
            depth=parent.depth + 1 if parent else 0,
        )
        if above.depth > _MAX_DEPTH:
            self.fault(f"routes nested deeper than {_MAX_DEPTH} levels", node)
            return above
        return replace(above, routes=tuple(self.route(item, above) for item in items(own.get("routes"))))

    def receiver(self, node: Node) -> Receiver:
        """Return a receiver with its integrations."""
        own = self.keys(node)
        integrations = tuple(
            (key.removesuffix("_configs"), item)
            for key, entry in own.items()
            if key.endswith("_configs")
            for item in items(entry)
        )
        name = value(own.get("name"))
        return Receiver(name.value if name else "", name.span if name else node.span, integrations)

    def inhibition(self, node: Node) -> Inhibition:
        """Return a rule by which some alerts silence others."""
        own = self.keys(node)
        return Inhibition(
            node=node,
            source=self.matchers(own, "source_matchers", "source_match", "source_match_re"),
            target=self.matchers(own, "target_matchers", "target_match", "target_match_re"),
            equal=tuple(text.value for text in texts(own.get("equal"))),
            own=own,
        )

    def matchers(self, own: Mapping[str, Entry], new: str, old: str, old_re: str) -> tuple[Written, ...]:
        """Return the matchers under a key, and under the two keys that said the same before it."""
        found = [written for text in texts(own.get(new)) for written in self._parsed(text)]
        operators: tuple[tuple[str, Operator], ...] = ((old, "="), (old_re, "=~"))
        for key, operator in operators:
            for name, entry in own[key].node.keys.items() if key in own else ():
                matcher = Matcher(name, operator, word(entry))
                found.append(Written(matcher, value(entry) or entry.key, legacy=True))
        return self.judged(found)

    def judged(self, found: Sequence[Written]) -> tuple[Written, ...]:
        """Return matchers as they are, with a fault for each that is no regular expression."""
        for written in found:
            if written.matcher.is_pattern and compiled(written.matcher.value) is None:
                message = f"{written.matcher.value!r} is no regular expression"
                self.faults.append(Fault(message, written.text.span))
        return tuple(found)

    def _parsed(self, text: Text) -> list[Written]:
        try:
            return [Written(matcher, text) for matcher in parse(text.value)]
        except ValueError as error:
            self.faults.append(Fault(f"broken matcher: {error}", text.span))
            return []


#: Deeper than anybody can follow; the reader recurses.
_MAX_DEPTH = 15


def items(entry: Entry | None) -> tuple[Node, ...]:
    """Return the items of an entry's list; none of what is no list."""
    return entry.node.items if entry is not None else ()
