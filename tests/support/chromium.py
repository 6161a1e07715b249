"""
The browser that tests look at pages with: a Chromium of this machine's, for Playwright to drive.
"""

import shutil
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""
Without a sandbox, for tests may run as root; and it is to ask nobody for anything but our pages.
"""


class ChromiumMissingError(Exception):
    """
    There is no browser here; the message tells how to get it.
    """


def chromium() -> str:
    """
    The path of the browser.
    """
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise ChromiumMissingError("no browser: install Chromium (Debian: chromium)")
    return found


if __name__ == "__main__":
    try:
        chromium()
    except ChromiumMissingError as missing:
        sys.exit(str(missing))
