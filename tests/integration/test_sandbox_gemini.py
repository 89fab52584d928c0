"""The sandbox's Gemini, talked to by google-genai: scripts, the plain page, every fault."""

import json
import re
import time
from pathlib import Path

import httpx2
import pytest
from google import genai
from google.genai import errors, types

from slipway_sandbox.client import Sandbox
from slipway_sandbox.process import running_sandbox

FLASH = "gemini-2.5-flash"


@pytest.fixture(scope="session")
def gemini(sandbox_process: Sandbox) -> genai.Client:
    return client_of(sandbox_process)


def client_of(sandbox: Sandbox, key: str = "sandbox", version: str | None = None) -> genai.Client:
    options = types.HttpOptions(base_url=sandbox.gemini_url, api_version=version, timeout=3000)
    return genai.Client(api_key=key, http_options=options)


def finish_of(answer: types.GenerateContentResponse) -> types.FinishReason | None:
    assert answer.candidates
    return answer.candidates[0].finish_reason


def error_of(client: genai.Client, model: str = FLASH) -> errors.APIError:
    with pytest.raises(errors.APIError) as caught:
        client.models.generate_content(model=model, contents="anything")
    return caught.value


def details_of(error: errors.APIError, kind: str) -> dict[str, object]:
    found: list[dict[str, object]] = [d for d in error.details["error"]["details"] if d["@type"].endswith(kind)]
    return found[0]


@pytest.mark.parametrize("version", [None, "v1beta"])
def test_a_scripted_brief_gets_its_replies_turn_after_turn(sandbox: Sandbox, version: str | None) -> None:
    sandbox.script("count the swans", ["first {{serial}}", "second {{serial}}"])
    gemini = client_of(sandbox, version=version)
    config = types.GenerateContentConfig(system_instruction="You write pages.")
    chat = gemini.chats.create(model=FLASH, config=config)
    said = [chat.send_message(text) for text in ("# Brief\nPlease count\nthe swans.", "Wrong.", "Wrong again.")]

    texts = [answer.text or "" for answer in said]
    assert [text.split()[0] for text in texts] == ["first", "second", "second"]
    assert len(set(texts)) == 3
    assert finish_of(said[0]) == types.FinishReason.STOP
    usage = said[0].usage_metadata
    assert usage is not None
    assert usage.thoughts_token_count == 300
    assert said[0].model_version == FLASH
    assert [(reply.script, reply.turn) for reply in sandbox.replies()] == [
        ("added-1", 1), ("added-1", 2), ("added-1", 2),
    ]  # fmt: skip
    assert sandbox.prompts()[0].text == "You write pages.\n# Brief\nPlease count\nthe swans."


def test_a_reply_is_streamed_in_pieces(sandbox: Sandbox, gemini: genai.Client) -> None:
    sandbox.script("a long story", ["swan " * 400])
    pieces = list(gemini.models.generate_content_stream(model=FLASH, contents="a long story"))
    assert len(pieces) > 2
    assert "".join(piece.text or "" for piece in pieces) == "swan " * 400
    assert [finish_of(piece) for piece in pieces][-2:] == [None, types.FinishReason.STOP]


def test_a_reply_longer_than_max_output_tokens_is_cut(sandbox: Sandbox, gemini: genai.Client) -> None:
    sandbox.script("a long story", ["swan " * 400])
    config = types.GenerateContentConfig(max_output_tokens=400)
    answer = gemini.models.generate_content(model=FLASH, contents="a long story", config=config)
    assert finish_of(answer) == types.FinishReason.MAX_TOKENS
    assert answer.text == ("swan " * 400)[:400]


def test_an_image_is_counted_and_not_searched(sandbox: Sandbox, gemini: genai.Client) -> None:
    sandbox.script("read the picture", ["seen"])
    image = types.Part.from_bytes(data=b"\x89PNG", mime_type="image/png")
    answer = gemini.models.generate_content(model=FLASH, contents=[image, "read the picture"])
    assert answer.text == "seen"
    assert sandbox.prompts()[0].images == 1


def test_an_unknown_brief_gets_a_plain_page_that_says_so(gemini: genai.Client) -> None:
    prompt = (
        "# Brief\n\nShow <b>it</b>\n\n# Attachments\n\n"
        "## data/a.csv (text/csv, 12 bytes)\n\nx\n\n"
        "## README.md (text/markdown, 3 bytes)\n\nIn the app it lies at attachments/README.md.\n\n"
        "## p.png (image/png, 9 bytes)\n"
    )
    text = gemini.models.generate_content(model=FLASH, contents=prompt).text or ""
    assert "no model wrote it" in text
    assert "Show &lt;b&gt;it&lt;/b&gt;" in text
    assert 'const names = ["data/a.csv", "attachments/README.md"];' in text
    assert '<img src="p.png"' in text
    assert re.findall(r"^```\w+\n(\S+)$", text, re.MULTILINE) == ["index.html", "README.md"]


def test_an_unknown_revision_gets_an_edit_of_the_page_that_it_shows(gemini: genai.Client) -> None:
    page = "<body>\n<main>\n  <h1>Old</h1>\n  </main>\n</body>"
    prompt = f"# Brief\n\nAdd more\n\n# Current files\n\n```html\nindex.html\n{page}\n```\n"
    text = gemini.models.generate_content(model=FLASH, contents=prompt).text or ""
    edit = re.search(r"<<<<<<< SEARCH\n(.*)\n=======\n(.*)\n>>>>>>> REPLACE", text, re.DOTALL)
    assert edit is not None
    assert edit[1] == "  </main>"
    assert page.replace(edit[1], edit[2]).endswith("</section>\n</main>\n</body>")
    assert "<p>Add more</p>" in edit[2]


def test_examples_are_found_by_the_brief_of_the_highest_round(tmp_path: Path) -> None:
    for number, brief in ((1, "Make a clock."), (2, "Add an alarm.")):
        folder = tmp_path / "examples" / "clock" / f"round-{number}"
        folder.mkdir(parents=True)
        (folder / "request.json").write_text(json.dumps({"brief": brief, "round": number, "task": "clock"}))
        (folder / "reply-1.md").write_text(f"round {number} {{{{serial}}}}")
    revision = "# Round 1 asked\n\nMake a clock.\n\n# Brief\n\nAdd an alarm.\n"
    with running_sandbox(tmp_path / "data", examples=tmp_path / "examples") as sandbox:
        gemini = client_of(sandbox)
        for prompt in ("# Brief\n\nMake a clock.", revision + "\n# Current files\n", revision):
            gemini.models.generate_content(model=FLASH, contents=prompt)
        # The last one is a revision of a page that was never built: its edits would have nothing to stand on.
        assert [reply.script for reply in sandbox.replies()] == ["clock/round-1", "clock/round-2", "plain"]


def test_models_are_listed_and_described(gemini: genai.Client) -> None:
    assert f"models/{FLASH}" in [model.name for model in gemini.models.list()]
    assert gemini.models.get(model=FLASH).display_name == "Gemini 2.5 Flash"


def test_a_bad_key_is_refused_on_every_route(sandbox: Sandbox) -> None:
    gemini = client_of(sandbox, key="bad-key")
    error = error_of(gemini)
    assert (error.code, error.status) == (400, "INVALID_ARGUMENT")
    assert details_of(error, "ErrorInfo")["reason"] == "API_KEY_INVALID"
    with pytest.raises(errors.ClientError):
        gemini.models.list()


def test_an_unknown_model_is_not_found(gemini: genai.Client) -> None:
    error = error_of(gemini, "gemini-0.1-nano")
    assert (error.code, error.status) == (404, "NOT_FOUND")


def test_a_quota_error_tells_the_minute_from_the_day(sandbox: Sandbox, gemini: genai.Client) -> None:
    for kind, period in (("rate_limit", "PerMinute"), ("daily_quota", "PerDay")):
        sandbox.fault("gemini", kind, retry_s=7)
        assert gemini.models.list()
        error = error_of(gemini)
        assert (error.code, error.status) == (429, "RESOURCE_EXHAUSTED")
        assert details_of(error, "RetryInfo")["retryDelay"] == "7s"
        assert period in json.dumps(details_of(error, "QuotaFailure"))


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [("unavailable", 503, "UNAVAILABLE"), ("model_not_found", 404, "NOT_FOUND"), ("bad_key", 400, "INVALID_ARGUMENT"),
     ("status", 500, "INTERNAL")],
)  # fmt: skip
def test_an_error_fault_strikes_once(sandbox: Sandbox, gemini: genai.Client, kind: str, code: int, status: str) -> None:
    sandbox.fault("gemini", kind)
    error = error_of(gemini)
    assert (error.code, error.status) == (code, status)
    assert gemini.models.generate_content(model=FLASH, contents="anything").text
    assert [request.status for request in sandbox.requests("gemini")] == [code, 200]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("kind", "finish"),
    [("safety", "SAFETY"), ("recitation", "RECITATION"), ("finish", "OTHER"), ("no_parts", "STOP"),
     ("thinking_only", "MAX_TOKENS")],
)  # fmt: skip
def test_a_candidate_without_text(sandbox: Sandbox, gemini: genai.Client, kind: str, finish: str, stream: bool) -> None:
    sandbox.fault("gemini", kind)
    if stream:
        (answer,) = gemini.models.generate_content_stream(model=FLASH, contents="anything")
    else:
        answer = gemini.models.generate_content(model=FLASH, contents="anything")
    assert finish_of(answer) == types.FinishReason(finish)
    assert answer.text is None


def test_no_candidate_and_a_blocked_prompt(sandbox: Sandbox, gemini: genai.Client) -> None:
    sandbox.fault("gemini", "empty")
    sandbox.fault("gemini", "blocked_prompt")
    empty, blocked = (gemini.models.generate_content(model=FLASH, contents="anything") for _ in range(2))
    assert empty.candidates is None
    assert blocked.candidates is None
    assert empty.prompt_feedback is None
    assert blocked.prompt_feedback is not None
    assert blocked.prompt_feedback.block_reason == types.BlockedReason.PROHIBITED_CONTENT


def test_a_cut_reply_ends_early(sandbox: Sandbox, gemini: genai.Client) -> None:
    sandbox.script("a long story", ["swan " * 400])
    sandbox.fault("gemini", "max_tokens", tokens=500)
    cut = gemini.models.generate_content(model=FLASH, contents="a long story")
    assert finish_of(cut) == types.FinishReason.MAX_TOKENS
    assert cut.text == ("swan " * 400)[:800]

    sandbox.fault("gemini", "cut_stream", clean=True)
    pieces = list(gemini.models.generate_content_stream(model=FLASH, contents="a long story"))
    assert all(finish_of(piece) is None for piece in pieces)

    sandbox.fault("gemini", "cut_stream", times=2)
    with pytest.raises(httpx2.RemoteProtocolError):
        list(gemini.models.generate_content_stream(model=FLASH, contents="a long story"))
    with pytest.raises(httpx2.RemoteProtocolError):
        gemini.models.generate_content(model=FLASH, contents="a long story")
    assert [request.status for request in sandbox.requests("gemini")] == [200, 200, None, None]


def test_a_slow_reply_is_whole_in_the_end(sandbox: Sandbox, gemini: genai.Client) -> None:
    sandbox.script("a long story", ["swan " * 400])
    for drip in (False, True):
        sandbox.fault("gemini", "slow", seconds=0.3, drip=drip)
        began = time.monotonic()
        assert gemini.models.generate_content(model=FLASH, contents="a long story").text == "swan " * 400
        assert time.monotonic() - began >= 0.3


def test_the_model_can_be_made_to_say_anything(sandbox: Sandbox, gemini: genai.Client) -> None:
    sandbox.script("a long story", ["swan"])
    with sandbox.faulty("gemini", "says", text="rubbish"):
        assert gemini.models.generate_content(model=FLASH, contents="a long story").text == "rubbish"
    assert gemini.models.generate_content(model=FLASH, contents="a long story").text == "swan"
