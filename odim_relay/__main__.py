"""
`python -m odim_relay` is `odim-relay`.
"""

from odim_relay.cli.main import main

if __name__ == "__main__":
    main(prog_name="odim-relay")
