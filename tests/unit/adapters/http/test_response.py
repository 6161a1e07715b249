import pytest
from hypothesis import given
from hypothesis import strategies as st

from odim_relay.adapters.http.response import Head, NotHttpError, parse_head, response_end


def parsed(head: bytes) -> Head:
    found = parse_head(head)
    assert found is not None
    return found


def chunked(*chunks: bytes, trailer: bytes = b"") -> bytes:
    framed = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n" + trailer + b"\r\n"


def test_a_plain_answer_ends_where_its_length_says() -> None:
    received = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1"
    head = parsed(received)

    assert (head.status, head.body_length, head.is_persistent) == (200, 2, True)
    assert response_end(head, received) == received.index(b"HTTP/1.1", 1)


@pytest.mark.parametrize(
    "received",
    [
        b"",
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r",
    ],
)
def test_a_head_that_is_not_all_there_is_awaited(received: bytes) -> None:
    assert parse_head(received) is None


@pytest.mark.parametrize(
    "line",
    [
        b"HTTP/2 200",
        b"HTTP/1.2 200 OK",
        b"HTTP/1.1 2000 OK",
        b"HTTP/1.1 20 OK",
        b"HTTP/1.1 000 OK",
        b"HTTP/1.1 600 OK",
        b"ICY 200 OK",
        b"\x15\x03\x01",
        b"",
    ],
)
def test_what_is_not_http_1_is_refused(line: bytes) -> None:
    with pytest.raises(NotHttpError):
        parse_head(line + b"\r\n\r\n")


def test_a_status_line_needs_no_reason() -> None:
    assert parsed(b"HTTP/1.1 503\r\n\r\n").status == 503


def test_lines_may_end_without_a_carriage_return() -> None:
    received = b"HTTP/1.1 200 OK\nContent-Length: 5\n\n1\r\n\r\n"
    head = parsed(received)

    assert response_end(head, received) == len(received)


@pytest.mark.parametrize("status", [100, 102, 103])
def test_an_interim_answer_is_not_the_answer(status: int) -> None:
    assert parsed(b"HTTP/1.1 %d X\r\n\r\n" % status).is_interim


def test_switching_protocols_is_an_answer_and_the_last_one() -> None:
    head = parsed(b"HTTP/1.1 101 X\r\nUpgrade: h2c\r\n\r\n")

    assert not head.is_interim
    assert not head.is_persistent


@pytest.mark.parametrize("status", [204, 304])
def test_some_statuses_have_no_body_whatever_the_length_says(status: int) -> None:
    received = b"HTTP/1.1 %d X\r\nContent-Length: 9\r\n\r\n" % status

    assert response_end(parsed(received), received) == len(received)


@pytest.mark.parametrize(
    ("head", "is_persistent"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0", True),
        (b"HTTP/1.1 200 OK\r\ncontent-length:0", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: Close", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", True),
        (b"HTTP/1.1 200 OK", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 7", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000, False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked", False),
    ],
)
def test_a_connection_is_kept_only_when_the_end_of_the_answer_is_beyond_doubt(head: bytes, is_persistent: bool) -> None:
    assert parsed(head + b"\r\n\r\n").is_persistent is is_persistent


def test_a_body_without_framing_has_no_end_of_its_own() -> None:
    received = b"HTTP/1.1 200 OK\r\n\r\nand so on"

    assert response_end(parsed(received), received) is None


def test_retry_after_is_given_as_it_came() -> None:
    assert parsed(b"HTTP/1.1 503 X\r\nRETRY-AFTER:  Sun, 06 Nov 1994 \r\n\r\n").retry_after == "Sun, 06 Nov 1994"
    assert parsed(b"HTTP/1.1 503 X\r\nX-Retry-After: 1\r\n\r\n").retry_after is None


def test_the_last_chunk_may_have_trailers() -> None:
    received = chunked(b"abc", trailer=b"Digest: x\r\nMore: y\r\n")

    assert response_end(parsed(received), received + b"next") == len(received)


def test_a_chunk_may_have_extensions() -> None:
    received = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a="b"\r\nabc\r\n0\r\n\r\n'

    assert response_end(parsed(received), received) == len(received)


@pytest.mark.parametrize("rest", [b"zz\r\n", b"-1\r\n", b"0x3\r\nabc\r\n", b"3\r\nabcd\r\n", b"\r\n", b"123456789\r\n"])
def test_chunks_that_cannot_be_read_are_refused(rest: bytes) -> None:
    received = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + rest

    with pytest.raises(NotHttpError):
        response_end(parsed(received), received)


@given(st.lists(st.binary(min_size=1), max_size=5))
def test_chunks_end_at_the_last_byte_and_not_before(chunks: list[bytes]) -> None:
    received = chunked(*chunks)
    head = parsed(received)

    assert response_end(head, received) == len(received)
    assert all(response_end(head, received[:end]) is None for end in range(head.end, len(received)))


@given(st.binary())
def test_any_bytes_are_a_head_no_head_or_not_yet_one(received: bytes) -> None:
    try:
        head = parse_head(received)
    except NotHttpError:
        return
    assert head is None or 100 <= head.status <= 599
