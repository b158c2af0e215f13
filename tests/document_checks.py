"""Whether a JSON document has the keys and types of its type, from which its JSON Schema is made."""

import json

from pydantic import TypeAdapter


def check_document(document, of):
    """Checks a document, as JSON has it; a key that the type does not name would be missing in the copy."""
    adapter = TypeAdapter(of)
    assert document == json.loads(adapter.dump_json(adapter.validate_json(json.dumps(document), strict=True)))
