"""A program that talks to the API, for tests."""

from typing import Any

from django.test import Client

from crm.models import Membership
from crm.workspace import tokens


class Program:
    """Calls the API with a member's token."""

    def __init__(self, member: Membership, *scopes: str) -> None:
        self.token, self.key = tokens.make(member, name="test", scopes=scopes or tokens.SCOPES)
        self.client = Client()

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        given = {"Authorization": f"Bearer {self.key}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        content = {} if body is None else {"data": body, "content_type": "application/json"}
        return getattr(self.client, method)(f"/api/v1/{path}", headers=given, **content)

    def get(self, path: str, **headers: str) -> Any:
        return self.call("get", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("post", path, {} if body is None else body, **headers)
