import pytest

from odim_relay.api.ui.forms import fields_of, read_number, read_span_s


@pytest.mark.parametrize(
    ("text", "span_s"),
    [
        ("", None),
        ("  ", None),
        ("90", 90),
        ("90 s", 90),
        ("1.5 min", 90),
        ("15m", 900),
        ("2h", 7_200),
        (" 1 D ", 86_400),
        ("0", 0),
    ],
)
def test_a_span_is_read_as_people_write_it(text: str, span_s: float | None) -> None:
    assert read_span_s(text) == span_s


@pytest.mark.parametrize("text", ["soon", "-1", "1 week", "2h 5m", "1e9", "999999999 d", "\u0661", "1s; DROP", "<b>"])
def test_what_is_no_span_is_told_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="write a span of time"):
        read_span_s(text)


@pytest.mark.parametrize(
    ("text", "number"), [("", 1), ("x", 1), ("-3", 1), ("0", 1), ("7", 7), ("99", 50), ("9" * 30, 1), ("\u0663", 1)]
)
def test_a_number_beyond_its_bounds_is_the_nearer_one_and_what_is_none_the_default(text: str, number: int) -> None:
    assert read_number(text, least=1, most=50, default=1) == number


def test_of_fields_with_one_name_the_last_counts() -> None:
    assert fields_of("a=1&b=%C3%A4+x&a=2&c=") == {"a": "2", "b": "ä x", "c": ""}


@pytest.mark.parametrize("encoded", ["a=%ff", "&".join(f"a{number}=1" for number in range(60))])
def test_what_no_browser_sends_of_our_forms_is_refused(encoded: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of the standard library, in words of its own
        fields_of(encoded)
