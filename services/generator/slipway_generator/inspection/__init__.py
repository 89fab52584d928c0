"""Static inspection: what can be said against an app without running it, as one list of findings."""

from collections.abc import Collection, Mapping, Sequence

from slipway_common.events import Finding
from slipway_generator.inspection import cdn, data, ids, leftovers, pages, readme, references, scripts, secrets, styles
from slipway_generator.inspection.app import App, finding
from slipway_generator.inspection.integrity import strip_integrity, without_integrity

__all__ = ["inspect_app", "strip_integrity", "without_integrity"]


def inspect_app(
    files: Mapping[str, bytes], checks: Sequence[str], *, brief: str = "", given: Collection[str] = ()
) -> list[Finding]:
    """What is wrong with an app, by file and line; errors are for the model to mend, warnings are for the record.

    `checks` are the executable checks (JavaScript) and may also hold plain ones; hosts that they or the `brief` name
    are taken as wanted. Files in `given` (attachments, LICENSE) are there to be referred to, but are not themselves
    inspected.
    """
    whole = App(files)
    own = App({path: content for path, content in files.items() if path not in given}) if given else whole
    wanted = "\n".join((brief, *checks))
    found = [
        finding(path, None, "the file is not UTF-8 text.", "Send it again as plain UTF-8.") for path in own.undecodable
    ]
    if "index.html" not in files:
        found.append(finding("index.html", None, "the app has no index.html.", "Add it; it is the page that is shown."))
    found += pages.inspect(own)
    found += scripts.inspect(own)
    found += styles.inspect(own)
    found += data.inspect(own)
    found += references.inspect(own, whole.files)
    found += cdn.inspect(own, wanted)
    found += readme.inspect(whole)
    found += leftovers.inspect(own, wanted)
    found += secrets.inspect(own)
    found += ids.inspect(whole, checks)
    return sorted(found, key=lambda item: (item.severity, item.file, item.line or 0))
