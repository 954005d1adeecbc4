"""Knowledge: entries as data, retrieval, evaluation."""
