"""A YAML or JSON file as plain values, together with where each of them stands."""

from dataclasses import dataclass, field
from pathlib import Path

import yaml

from landbridge.config.json_text import NotJson, as_yaml
from landbridge.config.problems import PROJECT_FILES, Keys, Place, Problems, dotted

MOST_VALUES = 200_000  # aliases of aliases can stand for more values than memory holds
_TEXT, _MERGE = "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"
_PLAIN = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "map", "seq")}
_Pairs = dict[str, tuple[yaml.Node, int]]


@dataclass
class Document:
    """`data` is made of dict, list, str, int, float, bool and None; `places` holds each value's place by its keys.

    `free` are the keys of texts that came from a variable: they may stand for a number or a boolean.
    """

    file: str
    data: object = None
    places: dict[Keys, Place] = field(default_factory=dict)
    free: set[Keys] = field(default_factory=set)

    def place(self, keys: Keys) -> Place:
        """Of the value, or, where it is missing, of the nearest value around it that is there."""
        for end in range(len(keys), -1, -1):
            if found := self.places.get(keys[:end]):
                return found if end == len(keys) else Place(found.file, found.line, dotted(keys))
        return Place(self.file, None, dotted(keys))

    def get(self, keys: Keys) -> object:
        """The value behind `keys`; None where the way there is cut short."""
        value = self.data
        for key in keys:
            if isinstance(value, dict):
                value = value.get(key)
            elif isinstance(value, list) and isinstance(key, int):
                value = value[key]
            else:
                return None
        return value

    def set(self, keys: Keys, value: object) -> None:
        """Replace or add a value in the mapping or list that is at `keys` without its last."""
        inner = self.get(keys[:-1])
        assert isinstance(inner, dict | list), "callers have looked"  # noqa: S101
        inner[keys[-1]] = value  # type: ignore[index]  # a list is reached by its own int keys only

    def drop_free_keys(self) -> None:
        """Forget the top-level keys that start with `x-`: they are the user's, to hold anchors."""
        if isinstance(self.data, dict):
            self.data = {key: value for key, value in self.data.items() if not key.startswith("x-")}


class _Loader(yaml.CSafeLoader):
    """The plain types only: a date stays the text that it is, and libyaml's messages quote nothing of the file."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own way
        first: [(tag, pattern) for tag, pattern in resolvers if tag in {*_PLAIN, _MERGE}]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


class _TooMany(Exception):
    """The file stands for more values than we read."""


def read_document(folder: Path, file: str, problems: Problems) -> Document | None:
    """The file's document, `data` None for an empty one; None, with problems added, where it cannot be read."""
    try:
        text = (folder / file).read_text(encoding="utf-8-sig")
        if file.endswith(".json"):
            text = as_yaml(text)
        return _Reader(file, _Loader(text), problems).document()
    except FileNotFoundError:
        problems.add(Place(file), f"no such file{'; `landbridge init` writes one' if file in PROJECT_FILES else ''}")
    except UnicodeDecodeError:
        problems.add(Place(file), "not UTF-8 text")
    except NotJson as error:
        problems.add(Place(file, error.line), f"not JSON: {error}")
    except OSError as error:
        problems.add(Place(file), f"cannot be read: {(error.strerror or 'input/output error').lower()}")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problems.add(Place(file, mark.line + 1 if mark else None), _in_words(error))
    except yaml.reader.ReaderError as error:
        problems.add(Place(file), f"not YAML: {error.reason}")
    except RecursionError:
        problems.add(Place(file), "nested too deeply")
    except _TooMany:
        problems.add(Place(file), f"more than {MOST_VALUES} values; aliases of aliases multiply them")
    return None


def _in_words(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "cannot be read"
    if "undefined alias" in problem:
        return "not YAML: no anchor of this alias's name; quote a text that starts with '*'"
    if "cannot start any token" in problem:
        return f"not YAML: {problem}; indent with spaces, and quote a text that starts with a sign"
    return f"not YAML: {problem}"


class _Reader:
    """Builds values from nodes, resolving aliases and merge keys, and notes where they stand."""

    def __init__(self, file: str, loader: _Loader, problems: Problems) -> None:
        self.result = Document(file)
        self.loader = loader
        self.problems = problems
        self.around: list[yaml.Node] = []
        self.pairs_of: dict[yaml.Node, _Pairs] = {}

    def document(self) -> Document:
        node = self.loader.get_single_node()
        if node is not None:
            self.result.data = self.value(node, (), node.start_mark.line)
        return self.result

    def value(self, node: yaml.Node, keys: Keys, line: int) -> object:
        """The node's value; `line`, from 0, is where its key or item begins."""
        self.result.places[keys] = place = Place(self.result.file, line + 1, dotted(keys))
        if len(self.result.places) > MOST_VALUES:
            raise _TooMany
        if node.tag not in _PLAIN:
            self.problems.add(place, "not a plain value; quote a text that starts with '!'")
            return None
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node, place)
        if node in self.around:
            self.problems.add(place, "an alias of something that it is part of")
            return None
        self.around.append(node)
        if isinstance(node, yaml.MappingNode):
            pairs = self.pairs(node, keys)
            value: object = {key: self.value(inner, (*keys, key), at) for key, (inner, at) in pairs.items()}
        else:
            value = [self.value(item, (*keys, i), item.start_mark.line) for i, item in enumerate(node.value)]
        self.around.pop()
        return value

    def scalar(self, node: yaml.ScalarNode, place: Place) -> object:
        try:
            return self.loader.construct_object(node)
        except (ValueError, LookupError):  # PyYAML's own way to say so
            self.problems.add(place, "looks like a number and is none; quote it")
            return None

    def pairs(self, node: yaml.MappingNode, keys: Keys) -> _Pairs:
        """A mapping's keys, with each one's value and line; its own win over merged ones, earlier merges over later."""
        if node in self.pairs_of:
            return self.pairs_of[node]
        self.pairs_of[node] = {}  # what a merge of itself would find
        own: _Pairs = {}
        merged: _Pairs = {}
        for key, value in node.value:
            line = key.start_mark.line
            place = Place(self.result.file, line + 1, dotted(keys))
            if key.tag == _MERGE:
                merged = self.merge(value, keys, place) | merged
            elif key.tag != _TEXT or not isinstance(key, yaml.ScalarNode):
                self.problems.add(place, "a key that is not text; quote it")
            elif key.value in own:
                self.problems.add(Place(place.file, place.line, dotted((*keys, key.value))), "given twice; keep one")
            else:
                own[key.value] = (value, line)
        self.pairs_of[node] = merged | own
        return self.pairs_of[node]

    def merge(self, node: yaml.Node, keys: Keys, place: Place) -> _Pairs:
        merged: _Pairs = {}
        for each in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            if isinstance(each, yaml.MappingNode):
                merged = self.pairs(each, keys) | merged
            else:
                self.problems.add(place, "'<<' takes a mapping or a list of mappings")
        return merged
