"""Starts the Chromium at a path through its driver and lets a page run a script: `python start_browser.py PATH`."""

import os
import sys


def main(path: str) -> str:
    """What went wrong; empty when nothing did."""
    try:
        from playwright.sync_api import Error, sync_playwright  # noqa: PLC0415 (the operator's image has no driver)
    except ImportError:
        return "its driver is not installed: Playwright is missing"
    try:
        with sync_playwright() as driver:
            # as the generator starts it: without its own sandbox where we are root, which it refuses
            browser = driver.chromium.launch(executable_path=path, chromium_sandbox=os.geteuid() != 0)
            page = browser.new_page()
            page.set_content("<title>a page</title>")
            title = page.evaluate("document.title")
            browser.close()
    except Error as error:
        lines = [line.strip() for line in error.message.splitlines() if line.strip()]
        return " ".join(lines[:2])
    return "" if title == "a page" else "a page does not run scripts"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) or 0)
