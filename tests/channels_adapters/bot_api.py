"""The published description of the Bot API as a JSON schema: types, required fields, and no field that is not in it.

The description lies beside the repository, when it does: `shared/platforms/openapi/telegram-bot-api-10.1.json`.
"""

import json
from functools import cache

import jsonschema
import pytest

from tests.conftest import NOT_BESIDE, SHARED

DESCRIPTION = SHARED / "platforms" / "openapi" / "telegram-bot-api-10.1.json"
PLAIN = {"Integer": "integer", "String": "string", "Boolean": "boolean", "True": "boolean", "Float": "number"}

needs_description = pytest.mark.skipif(not DESCRIPTION.exists(), reason=f"the description of the Bot API {NOT_BESIDE}")


def faults(type_name, value):
    """What the description says is wrong with the value: '' for nothing."""
    errors = _validator(type_name).iter_errors(value)
    return "; ".join(f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in errors)


@cache
def _validator(type_name):
    return jsonschema.Draft202012Validator({"$defs": _types(), **_schema(type_name)})


@cache
def _types():
    types = json.loads(DESCRIPTION.read_text())["types"]
    return {name: _type(described) for name, described in types.items()}


def _type(described):
    if described.get("subtypes"):
        return {"anyOf": [_schema(name) for name in described["subtypes"]]}
    fields = described.get("fields", [])
    return {
        "type": "object",
        "properties": {field["name"]: {"anyOf": [_schema(name) for name in field["types"]]} for field in fields},
        "required": [field["name"] for field in fields if field["required"]],
        "additionalProperties": False,
    }


def _schema(name):
    if name.startswith("Array of "):
        return {"type": "array", "items": _schema(name.removeprefix("Array of "))}
    return {"type": PLAIN[name]} if name in PLAIN else {"$ref": f"#/$defs/{name}"}
