"""`./run demo` as its reader runs it: exit code, what it writes, and that no key is touched."""

import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEYS = {"GEMINI_API_KEY": "AIzaNotToBeTouched", "GITHUB_TOKEN": "ghp_not_to_be_touched", "STUDENT_SECRET": "of-nobody"}
COLUMNS = {
    "task", "round", "job", "state", "notification_status", "repo_url", "commit_sha", "pages_url", "seconds", "checks",
}  # fmt: skip


def test_every_example_is_notified_and_the_keys_around_are_not_used(tmp_path: Path) -> None:
    done = subprocess.run(
        [ROOT / "run", "demo", "--strict", "--json", tmp_path / "out.json"],
        env={**os.environ, **KEYS},
        capture_output=True,
        text=True,
        check=False,
        timeout=170,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "No model is called" in done.stdout
    assert not [value for value in KEYS.values() if value in done.stdout + done.stderr]

    jobs = json.loads((tmp_path / "out.json").read_text())
    assert len(jobs) == len(list(ROOT.glob("examples/*/round-*/request.json")))
    for job in jobs:
        assert set(job) == COLUMNS | ({"edit"} if job["round"] > 1 else set())
        assert (job["state"], job["notification_status"]) == ("notified", 200)
        assert job["checks"]["false"] == 0
        assert set(job["checks"]) == {"true", "false", "inconclusive", "not_run"}
    commits = [job["commit_sha"] for job in jobs]
    assert len(set(commits)) == len(commits), "one commit per round"
