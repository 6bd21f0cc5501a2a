"""From somebody's annotation to records of a project's layers, and back: mapping.toml, and what became of each piece."""
