"""The API's own description, in docs/openapi.json: made by cli.generate, read by clients and by the page's types."""

import json
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from xorj.gateway.app import add_routes

API_VERSION = "1"
SUMMARY = "Copy trading on Solana without giving anyone your money."
PROBLEM: dict[str, Any] = {
    "description": "RFC 9457 problem document",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "request_id"],
    "properties": {
        "type": {"type": "string", "description": "Stable name of the kind of problem."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "rule"],
                "properties": {"field": {"type": "string"}, "rule": {"type": "string"}},
            },
        },
    },
}


def description() -> str:
    """OpenAPI 3.1 as JSON with a newline at its end."""
    app = FastAPI()
    add_routes(app)
    document = get_openapi(title="XORJ", version=API_VERSION, summary=SUMMARY, routes=app.routes)
    document["components"]["schemas"]["Problem"] = PROBLEM_SCHEMA
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
            operation["responses"]["4XX"] = PROBLEM
            operation["responses"]["5XX"] = PROBLEM
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
