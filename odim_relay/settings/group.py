"""
What all groups of settings have in common.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Group(BaseModel):
    """
    A group: frozen, and unknown members are errors.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
