"""
Any JSON value, for properties.
"""

from typing import Any

from hypothesis import strategies as st

TEXTS = st.text(st.characters(exclude_categories=()), max_size=12)
"""
Also with halves of surrogate pairs, which JSON can escape and UTF-8 cannot hold.
"""


def json_values() -> st.SearchStrategy[Any]:
    """
    Values that `json.dumps` takes: of every type, nested a little, and with unusual text.
    """
    single = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
    return st.recursive(
        single, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=12
    )
