"""The type of the JSON document of a sweep; the documentation has a JSON Schema of it."""

from recbench.records.schema import ParameterValue
from recbench.reports.document_types import SpreadDocument
from recbench.reports.run.document_types import ResultDocument, TrialsDocument


class SweptResultDocument(ResultDocument):
    """A value of the hyper-parameter.

    Attributes:
        value: The value.
        process_peak_rss_bytes: Peak memory of the processes of its trials; null if it is unknown.
    """

    value: ParameterValue
    process_peak_rss_bytes: SpreadDocument | None


class SweepDocument(TrialsDocument):
    """The document of `recbench sweep --json`: that of `run`, and what was swept.

    Attributes:
        results: One object for each value.
        model: The model.
        parameter: The hyper-parameter.
    """

    results: list[SweptResultDocument]
    model: str
    parameter: str
