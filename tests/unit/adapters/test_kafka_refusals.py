import pytest

from odim_relay.adapters.kafka.refusals import explained

AT = "ssl://10.0.0.1:9093/bootstrap: "


@pytest.mark.parametrize(
    ("told", "setting"),
    [
        ("SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: broker", "CA_FILE"),
        ("Receive failed: error:0A000412:SSL routines::ssl/tls alert bad certificate: number 42", "CERT_FILE"),
        ("Receive failed: error:0A00045C:SSL routines::tlsv13 alert certificate required", "CERT_FILE"),
        ("SSL handshake failed: Disconnected: connecting to a PLAINTEXT broker listener?", "PROTOCOL"),
        ("SASL authentication error: Authentication failed: Invalid username or password", "SASL_USERNAME"),
    ],
)
def test_an_error_names_the_setting_that_the_broker_minds(told: str, setting: str) -> None:
    assert f"KAFKA__SECURITY__{setting}" in explained(AT + told)


def test_another_error_is_told_as_it_is_but_for_its_times() -> None:
    told = "10.0.0.1:9092/1: Connect to ipv4#10.0.0.1:9092 failed: Connection refused (after 3ms in state CONNECT)"

    assert explained(told) == "10.0.0.1:9092/1: Connect to ipv4#10.0.0.1:9092 failed: Connection refused"


def test_one_cause_has_one_text_however_long_it_took() -> None:
    first, second = (f"{AT}certificate verify failed (after {time}ms in state SSL_HANDSHAKE)" for time in (1, 20))

    assert explained(first) == explained(second)
