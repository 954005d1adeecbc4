"""Diagnostics: facts from machines, keys, certificates, tokens, sites; one root cause.

`run(region, …) -> Report` checks a desk; `report.say()` tells a person in a few sentences.
"""

from diagnostics.result import Fact, Report, Result
from diagnostics.runner import inputs, run

__all__ = ["Fact", "Report", "Result", "inputs", "run"]
