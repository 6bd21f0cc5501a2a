"""The files around a new project's data: settings, README, changelog, CI. Pure: facts in, text by file name out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

_FILES = {
    "pyproject.toml": "pyproject.toml.j2",
    "README.md": "README.md.j2",
    "CHANGELOG.md": "CHANGELOG.md.j2",
    "requirements.txt": "requirements.txt.j2",
    ".gitignore": "gitignore.j2",
    ".github/workflows/ci.yml": "ci.yml.j2",
}
"""What is written, by which template of dateline/templates."""


@dataclass(frozen=True)
class ProjectFacts:
    """What is known of a project when it begins.

    `format_title` is whose annotation was imported; "" for the example. `known` says that mapping and schemas are shipped ones,
    `given` that the source has official splits. `layers` has a line on each layer. `pins` are the versions that made it.
    """

    name: str
    title: str
    summary: str
    notice: str
    version: str
    pins: Sequence[tuple[str, str]]
    format_title: str = ""
    known: bool = False
    license: str = ""
    text_license: str = ""
    redistributable: bool = True
    private: bool = False
    given: bool = False
    languages: Sequence[str] = ()
    layers: Mapping[str, str] = field(default_factory=dict)


def project_files(facts: ProjectFacts) -> dict[str, str]:
    """The text of each file, by its name in the project."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("dateline", "templates"),
        autoescape=False,  # TOML, Markdown and YAML; what comes from the source passes a filter
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"toml": lambda value: json.dumps(value, ensure_ascii=False), "cell": _cell}
    words = {**asdict(facts), "layers": sorted(facts.layers.items()), "example": not facts.format_title}
    return {name: environment.get_template(template).render(words) for name, template in _FILES.items()}


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
