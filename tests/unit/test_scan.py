"""The scan before the push: credentials are found wherever they stand, clean pages pass, values are never told.

The credentials here are put together when the test runs, so that this file holds none.
"""

import base64
import hashlib
import random
import string

import pytest

from slipway_deployer.scan import SecretScan

OWN = "correct-horse-battery-staple"


def some(count: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(random.Random(count).choices(alphabet, k=count))


UPPER = string.ascii_uppercase + string.digits
CREDENTIALS = {
    "google": "AIza" + some(35),
    "github classic": "ghp_" + some(36),
    "github server": "ghs_" + some(36),
    "github fine-grained": "github_pat_" + some(22) + "_" + some(59),
    "openai project": "sk-proj-" + some(60),
    "openai legacy": "sk-" + some(48),
    "anthropic": "sk-ant-api03-" + some(80),
    "aws": "AKIA" + some(16, UPPER),
    "aws secret": f'aws_secret_access_key = "{some(40)}"',
    "hugging face": "hf_" + some(34, string.ascii_letters),
    "slack": "xoxb-" + some(12, string.digits) + "-" + some(24, string.ascii_lowercase),
    "stripe": "sk_live_" + some(24),
    "npm": "npm_" + some(36),
    "telegram": "https://api.telegram.org/bot" + some(9, string.digits) + ":" + some(35),
    "rsa key": "-----BEGIN RSA PRIVATE KEY-----\n" + some(64) + "\n",
    "key in a script": '"-----BEGIN PRIVATE KEY-----\\n' + some(64) + '"',
    "own": OWN,
    "own in base64": base64.b64encode(OWN.encode()).decode(),
}


@pytest.fixture(scope="module")
def scan() -> SecretScan:
    return SecretScan([OWN, "short"])


@pytest.mark.parametrize("credential", CREDENTIALS.values(), ids=CREDENTIALS.keys())
@pytest.mark.parametrize(
    "frame", ["<script>const k = '{}';</script>", "Use {} to sign in.\n", "key={}\r\n", '{{"k": "{}"}}']
)
def test_a_credential_is_found_and_not_repeated(scan: SecretScan, credential: str, frame: str) -> None:
    text = "<!DOCTYPE html>\n<p>hello</p>\n" + frame.format(credential)
    (found, *_) = scan.run({"docs/page.html": text.encode()}, "Build the app")
    assert found.place == "docs/page.html line 3"
    assert credential[8:] not in str(found)


def test_it_looks_into_binary_files_utf_16_names_and_the_commit_message(scan: SecretScan) -> None:
    key = CREDENTIALS["github classic"]
    files = {
        "blob.bin": b"\xff\xfe\x00\x01" + key.encode() + b"\x80",
        "utf16.txt": key.encode("utf-16"),
        f"notes/{key}.txt": b"",
    }
    found = scan.run(files, f"Build {key}")
    assert [item.place for item in found] == [
        "the commit message line 1",
        "blob.bin line 1",
        "utf16.txt line 1",
        "the name of file 3 of 3 line 1",
    ]
    assert key not in "".join(map(str, found))


@pytest.mark.parametrize("before", [65_500, 65_536, 65_540, 67_580, 200_000])
def test_a_credential_is_found_wherever_it_stands_in_a_large_file(scan: SecretScan, before: int) -> None:
    for kind in ("github classic", "aws", "rsa key"):
        text = "x = 1;\n" * (before // 7) + " " * (before % 7) + CREDENTIALS[kind] + "\n" + "y" * 100_000
        assert len(scan.run({"big.js": text.encode()}, "")) == 1, kind


def test_a_longer_word_is_not_cut_into_a_credential(scan: SecretScan) -> None:
    long = "AKIA" + some(400, UPPER)
    for before in range(65_536 + 2048 - 30, 65_536 + 2048):
        assert scan.run({"big.txt": (" " * before + long).encode()}, "") == []


def test_a_short_value_of_our_environment_is_no_secret(scan: SecretScan) -> None:
    assert scan.run({"index.html": b"a short page"}, "") == []


def test_clean_pages_pass(scan: SecretScan) -> None:
    picture = base64.b64encode(random.Random(1).randbytes(300_000)).decode()
    sha = hashlib.sha256(b"x").hexdigest()
    page = f"""<!DOCTYPE html>
<link rel="stylesheet" href="https://cdn.example/a.css" integrity="sha384-{some(64)}" crossorigin="anonymous">
<img src="data:image/png;base64,{picture}" alt="">
<label for="password">Password</label><input id="password" type="password" value="password123">
<script>
  const password = "correct horse"; const apiKey = "YOUR_API_KEY"; const token = localStorage.getItem("token");
  const commit = "{hashlib.sha1(b"y").hexdigest()}", digest = "{sha}", upper = "{sha.upper()}";
  const id = "5b0f6c1e-4f0c-5d0e-9a53-6c1b7a0c51e9", ask = "sk-fading-circle sk-cube-grid xoxo-hugs-and-kisses";
  // a key begins with -----BEGIN PRIVATE KEY----- and ends with -----END PRIVATE KEY-----
  fetch("https://api.example/v1?page=1", {{ headers: {{ Authorization: `Bearer ${{token}}` }} }});
</script>"""
    assert scan.run({"index.html": page.encode(), "deep/AKIRA.md": b"AKIA is the prefix; task-force"}, "Build") == []


def test_random_base64_and_hashes_hold_no_credential(scan: SecretScan) -> None:
    noise = base64.b64encode(random.Random(7).randbytes(3_000_000))
    hashes = b"\n".join(hashlib.sha256(bytes([n % 256, n // 256])).hexdigest().encode() for n in range(5000))
    assert scan.run({"noise.txt": noise, "hashes.txt": hashes}, "") == []
