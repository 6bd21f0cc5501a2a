"""Dateline: annotated article records into a versioned, validated, provenance-carrying dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dateline.aligning import align
    from dateline.loading import load
    from dateline.opening import open_corpus as open

__all__ = ["__version__", "align", "load", "open"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # `import dateline` stays light: Hugging Face datasets takes seconds to import
    if name == "load":  # the module is called loading: a module load would hide the function once it is imported
        from dateline.loading import load

        return load
    if name == "align":
        from dateline.aligning import align

        return align
    if name == "open":
        from dateline.opening import open_corpus

        return open_corpus
    raise AttributeError(f"module 'dateline' has no attribute {name!r}; it has {', '.join(__all__)}")
