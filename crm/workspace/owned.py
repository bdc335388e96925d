"""What every table of a workspace shares: its owner, and a manager that refuses a query without one."""

from typing import Any, ClassVar

from django.db import models
from django_scopes import ScopedManager


def scoped(queryset: type[models.QuerySet[Any]] = models.QuerySet) -> Any:
    """A manager over `queryset` that raises ScopeError outside `scope(workspace=...)`."""
    return ScopedManager(_manager_class=models.Manager.from_queryset(queryset), workspace="workspace")


class WorkspaceOwned(models.Model):
    """A row of one workspace. Query it inside `django_scopes.scope(workspace=...)`."""

    workspace = models.ForeignKey("crm.Workspace", models.CASCADE, related_name="+")

    objects: ClassVar[Any] = scoped()

    class Meta:
        abstract = True
