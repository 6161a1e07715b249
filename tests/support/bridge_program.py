"""
`odim-relay bridge` with something wrong about it. A program.

    python -m tests.support.bridge_program [--dies-of MARKER] [--waits-s SECONDS] [--answer-s SECONDS]
"""

import argparse
import os

from odim_relay import bootstrap
from odim_relay.adapters.kafka import consumer
from odim_relay.bridge import process
from odim_relay.cli import main
from odim_relay.formats import Decoded, Decoder


def deadly(decode: Decoder, marker: bytes) -> Decoder:
    """
    A decoder that ends the process without a word when it meets `marker`, as a fault in a C library would.
    """

    def decode_or_die(value: bytes) -> Decoded:
        if marker in value:
            os._exit(9)
        return decode(value)

    return decode_or_die


def run() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--dies-of", default="")
    parser.add_argument("--waits-s", type=float, default=process._STORES_WAIT_S)
    parser.add_argument("--answer-s", type=float, default=consumer._ANSWER_S)
    arguments = parser.parse_args()
    consumer._ANSWER_S = arguments.answer_s
    process._STORES_WAIT_S = arguments.waits_s
    if arguments.dies_of:
        healthy = bootstrap.decoders()
        marker = arguments.dies_of.encode()
        bootstrap.decoders = lambda: {topic: deadly(decode, marker) for topic, decode in healthy.items()}
    main(["bridge"])


if __name__ == "__main__":
    run()
