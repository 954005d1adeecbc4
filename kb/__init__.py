"""Knowledge: entries as data, retrieval, evaluation."""

from kb.entries import Entry, Library
from kb.retriever import Candidate, Explanation, Finding, Retriever, open_library, open_retriever

__all__ = [
    "Candidate",
    "Entry",
    "Explanation",
    "Finding",
    "Library",
    "Retriever",
    "open_library",
    "open_retriever",
]
