"""The dataset card: YAML that tells loaders what there is, and a body that tells readers.

The YAML form is chosen for what loaders do with it: the content digest in each config's description, because
`datasets` keys its cache on this text and not on the data; licence and version where `datasets` looks for them; files by
name, so that nothing stale is ever read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from dateline.ledger import UNRELEASED
from dateline.licences import Licences
from dateline.manifest import TableFacts
from dateline.project import Settings

Column = tuple[str, str, str, bool]
"""Name, type, description, withheld."""


def card(
    settings: Settings,
    tables: Mapping[str, TableFacts],
    features: Mapping[str, list[dict[str, Any]]],
    columns: Mapping[str, list[Column]],
    titles: Mapping[str, tuple[str, str]],
    content_digest: str,
    facts: Mapping[str, Any],
    baselines: str = "",
) -> str:
    """The text of dataset/README.md. `titles` gives title and description of each config; tables without rows are left out.

    `baselines` is a section of its own, in Markdown.
    """
    shown = {name: table for name, table in tables.items() if table.rows}
    body = _body(settings, shown, columns, titles, facts, baselines)
    return f"---\n{_front(settings, shown, features, content_digest)}---\n\n{body}"


def head_of(text: str) -> Any:
    """What the YAML head of a card says, as loaders read it; with libyaml, ten times as fast as without.

    Raises IndexError for a text without a head, yaml.YAMLError for a head that is no YAML.
    """
    return yaml.load(text.split("---\n")[1], Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@dataclass(frozen=True)
class Described:
    """What a card says of a config: what a row is, and what each column means."""

    says: str
    columns: dict[str, str]


def described_in(text: str) -> dict[str, Described]:
    """What the card of a release says of its configs, read from its tables: the words that its readers have."""
    body = text.split("---\n", 2)[2]
    says = {
        re.sub(r"^\*\*(.+)\*\* \(default\)$", r"\1", row[0]): row[1] for row in _rows(_section(body, "## Configs and splits"))
    }
    fields = re.split(r"^### ", _section(body, "## Fields"), flags=re.MULTILINE)[1:]
    columns = {part.split("\n", 1)[0]: {row[0]: row[2] for row in _rows(part)} for part in fields}
    return {name: Described(says.get(name, ""), meanings) for name, meanings in columns.items()}


def _section(body: str, heading: str) -> str:
    return body.partition(f"\n{heading}\n")[2].partition("\n## ")[0]


def _rows(text: str) -> list[list[str]]:
    """The cells of the rows of a Markdown table."""
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


# ---- what loaders read ---------------------------------------------------------------------------------------


def _front(settings: Settings, tables: Mapping[str, TableFacts], features: Mapping[str, Any], digest: str) -> str:
    default = settings.default_config if settings.default_config in tables else next(iter(tables), None)
    front: dict[str, Any] = {"pretty_name": settings.title or settings.name}
    front |= hub_license(settings.license)
    if settings.languages:
        front["language"] = list(settings.languages)
    front["size_categories"] = [_size(tables["articles"].rows if "articles" in tables else 0)]
    front["configs"] = [_config(name, table, settings, digest, name == default) for name, table in tables.items()]
    front["dataset_info"] = [_info(name, table, settings, features[name]) for name, table in tables.items()]
    return yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=120)


def hub_license(expression: str) -> dict[str, str]:
    """A licence as the head of a README says it to the Hub, which has a list of its own; nothing where none is named."""
    if not expression:
        return {}
    known = expression.lower() in _HUB_LICENSES
    return {"license": expression.lower()} if known else {"license": "other", "license_name": expression}


def _config(name: str, table: TableFacts, settings: Settings, digest: str, default: bool) -> dict[str, Any]:
    config: dict[str, Any] = {"config_name": name}
    if default:
        config["default"] = True
    config["version"] = settings.version
    config["description"] = f"{settings.title or settings.name}, {name}, content {digest}"
    config["data_files"] = [
        {"split": split, "path": [file["path"] for file in table.files if file["split"] == split]} for split in table.splits
    ]
    return config


def _info(name: str, table: TableFacts, settings: Settings, features: list[dict[str, Any]]) -> dict[str, Any]:
    info: dict[str, Any] = {"config_name": name, "features": features}
    if settings.license:
        info["license"] = settings.license
    if settings.citation:
        info["citation"] = settings.citation
    if settings.homepage:
        info["homepage"] = settings.homepage
    size = {split: sum(f["bytes"] for f in table.files if f["split"] == split) for split in table.splits}
    info["splits"] = [{"name": s, "num_bytes": size[s], "num_examples": n} for s, n in table.splits.items()]
    info["download_size"] = sum(size.values())
    info["dataset_size"] = sum(size.values())
    return info


_HUB_LICENSES = {"cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc0-1.0", "apache-2.0", "mit"}


def _size(rows: int) -> str:
    for limit, name in ((1000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")):
        if rows < limit:
            return name
    return "n>1M"


# ---- what people read ----------------------------------------------------------------------------------------


def _body(
    settings: Settings,
    tables: Mapping[str, TableFacts],
    columns: Mapping[str, list[Column]],
    titles: Mapping[str, tuple[str, str]],
    facts: Mapping[str, Any],
    baselines: str,
) -> str:
    parts = [f"# {settings.title or settings.name}"]
    if settings.summary:
        parts.append(settings.summary)
    if settings.private:
        parts.append(_PRIVATE)
    if settings.notice:
        parts.append("\n".join(f"> {line}" for line in settings.notice.strip().splitlines()))
    parts.append(_release(settings, facts))
    parts.append("## Loading\n\n" + _loading(settings, tables))
    parts.append("## Configs and splits\n\n" + _configs(settings, tables, titles))
    parts.append("## Rights\n\n" + _rights(facts))
    if facts["key"]:
        parts.append("## Signature\n\n" + _signature(settings, *facts["key"]))
    parts.append("## Labels\n\nHow often each label stands, over all splits.\n\n" + _labels(tables))
    if baselines:
        parts.append("## Baselines\n\n" + baselines)
    parts.append("## Fields\n\n" + "\n\n".join(_fields(name, columns[name], titles[name]) for name in tables))
    parts.append("*This card is generated by `dateline rebuild`; its numbers are counted from the files beside it.*")
    return "\n\n".join(parts) + "\n"


_PRIVATE = (
    "> **Private: not for distribution.** This dataset holds texts that may not be passed on (`private = true` in "
    "`pyproject.toml`). Licences named below are no permission."
)


def _release(settings: Settings, facts: Mapping[str, Any]) -> str:
    version = f"Version {settings.version}, released {facts['date']}"
    if settings.version == UNRELEASED:
        after = f", after the release {facts['last']}" if facts["last"] else ""
        version = f"Unreleased build (version {UNRELEASED}){after}"
    digest = facts["content_digest"][:12]
    said = [f"{version}. {facts['articles']:,} articles in {facts['groups']:,} groups; content digest `{digest}`."]
    if facts["yanked"]:
        said.insert(0, f"> **This release was yanked; do not use it:** {facts['yanked']}")
    if facts["retracted"]:
        gone = "; ".join(f"`{a['article_id']}` ({a['reason']})" for a in facts["retracted"])
        said.append(f"Retracted from earlier releases: {gone}.")
    return "\n\n".join(said)


def _loading(settings: Settings, tables: Mapping[str, TableFacts]) -> str:
    default = settings.default_config
    first = next(iter(tables[default].splits)) if default in tables else "train"
    return (
        "```python\nfrom datasets import load_dataset\n\n"
        f'ds = load_dataset("path/to/dataset", "{default}", split="{first}")\n```\n\n'
        "The files are plain Parquet: polars, DuckDB and pandas read them too. Labels are stored as words; `datasets` shows them "
        "as `ClassLabel`."
    )


def _configs(settings: Settings, tables: Mapping[str, TableFacts], titles: Mapping[str, tuple[str, str]]) -> str:
    lines = ["| config | what a row is | rows | by split |", "|---|---|---:|---|"]
    for name, table in tables.items():
        shown = f"**{name}** (default)" if name == settings.default_config else name
        splits = ", ".join(f"{split} {rows:,}" for split, rows in table.splits.items())
        lines.append(f"| {shown} | {_cell(titles[name][1])} | {table.rows:,} | {splits} |")
    return "\n".join(lines)


def _rights(facts: Mapping[str, Any]) -> str:
    withheld = facts["withheld"]
    text = f"The texts of {facts['articles'] - withheld:,} articles are part of this dataset"
    if withheld:
        text += (
            f"; those of {withheld:,} may not be passed on and are withheld: their text, surfaces, headlines, propositions and "
            "notes are null, while offsets, labels, names, numbers and dates are given (config `standoff`, tables by layer)"
        )
    return (
        f"{text}. Licences are given per article, for text and annotation apart: columns `text_license` and "
        "`annotation_license`. "
        f"As SPDX expressions:\n\n{_licences(facts['licences'])}"
    )


def _licences(found: Licences) -> str:
    lines = ["| part | licence |", "|---|---|"]
    lines += [
        f"| {part} | {expression} |" for part, expression in (("the whole", found.whole), ("code", found.code)) if expression
    ]
    lines += [f"| texts of {n:,} article{'' if n == 1 else 's'} | {expression} |" for expression, n in found.texts.items()]
    for expressions, layers in found.by_licence().items():
        lines.append(f"| annotation: {', '.join(layers)} | {', '.join(expressions)} |")
    return "\n".join(lines)


def _signature(settings: Settings, place: str, fingerprint: str) -> str:
    where = f" of {settings.homepage}" if settings.homepage else " of the project"
    return (
        f"Published releases are signed. The public key is the file `{place}`{where}, with the fingerprint `{fingerprint}`: "
        "compare it with one that you have from elsewhere, then `dateline verify WHERE --key FILE`."
    )


def _labels(tables: Mapping[str, TableFacts]) -> str:
    lines = ["| table | column | labels |", "|---|---|---|"]
    for name, table in tables.items():
        for column, counts in table.labels.items():
            said = ", ".join(f"{label} {n:,}" for label, n in counts.items() if n) or "none"
            lines.append(f"| {name} | {column} | {said} |")
    return "\n".join(lines) if len(lines) > 2 else "This dataset has no labelled columns."


def _fields(name: str, columns: list[Column], title: tuple[str, str]) -> str:
    lines = [f"### {name}", "", "| column | type | meaning |", "|---|---|---|"]
    for column, kind, meaning, withheld in columns:
        lines.append(
            f"| {column} | {_cell(kind)} | {_cell(meaning)}{' *Null where the text is withheld.*' if withheld else ''} |"
        )
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


# ---- a hydrated copy -----------------------------------------------------------------------------------------


def hydrated_card(
    text: str, tables: Mapping[str, TableFacts], before: str, content_digest: str, restored: int, withheld: int
) -> str:
    """The card of a hydrated copy, from the card of its dataset: other files and digests, and a warning before all else.

    `before` is the content digest of the dataset. The licence of the dataset does not hold for the copy.
    """
    body = text.split("---\n", 2)[2]
    front = head_of(text)
    front["pretty_name"] = f"{front['pretty_name']} (hydrated copy, not to be passed on)"
    front |= {"license": "other", "license_name": _NOT_LICENSED}
    for config in front["configs"]:
        table = tables[config["config_name"]]
        config["description"] = config["description"].replace(before, content_digest) + ", hydrated"
        for split in config["data_files"]:
            split["path"] = [file["path"] for file in table.files if file["split"] == split["split"]]
    for info in front["dataset_info"]:
        table = tables[info["config_name"]]
        for split in info["splits"]:
            split["num_bytes"] = sum(f["bytes"] for f in table.files if f["split"] == split["name"])
        info["download_size"] = info["dataset_size"] = sum(split["num_bytes"] for split in info["splits"])
        info["license"] = _NOT_LICENSED
    shown = yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=120)
    title, _, rest = body.lstrip("\n").partition("\n")
    warning = (
        f"> **Hydrated copy: it may not be passed on.** `dateline hydrate` filled in {restored:,} of {withheld:,} withheld texts "
        "from a private copy: they and their surfaces stand in columns that this card calls null. Headlines, propositions and "
        f"notes do not follow from a text and are still null. Made from the dataset with content digest `{before[:12]}`."
    )
    rest = rest.replace(f"content digest `{before[:12]}`.", f"content digest `{content_digest[:12]}`.", 1)
    return f"---\n{shown}---\n\n{title} (hydrated copy)\n\n{warning}\n{rest}"


_NOT_LICENSED = "LicenseRef-hydrated-not-to-be-passed-on"
