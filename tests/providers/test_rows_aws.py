"""The rows of Amazon Bedrock, through a client."""

from __future__ import annotations

import pytest

from fiber import AWSKeys, Fiber, FiberAuthError, FiberValidationError
from fiber.providers.rows_aws import AWS_ROWS
from fiber.testing import FakeTransport, MockServer
from fiber.testing.fake import FakeReply, json_reply

ID, KEY, TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "SESSIONTOKENEXAMPLE"
ANSWER = {"output": {"message": {"role": "assistant", "content": [{"text": "Hi."}]}}, "stopReason": "end_turn"}
CHAT = {"choices": [{"message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}]}
LETTER = {"type": "message", "content": [{"type": "text", "text": "Hi."}], "stop_reason": "end_turn"}
RESPONSE = {
    "object": "response",
    "status": "completed",
    "output": [{"type": "message", "content": [{"type": "output_text", "text": "Hi."}]}],
}
RUNTIME, MANTLE = "https://bedrock-runtime.eu-west-1.amazonaws.com", "https://bedrock-mantle.eu-west-1.api.aws"
WHERE = {
    "bedrock": (ANSWER, "bedrock", f"{RUNTIME}/model/a.b%3A0/converse"),
    "bedrock-anthropic": (LETTER, "bedrock", f"{RUNTIME}/model/a.b%3A0/invoke"),
    "bedrock-mantle": (CHAT, "bedrock-mantle", f"{MANTLE}/v1/chat/completions"),
    "bedrock-mantle-responses": (RESPONSE, "bedrock-mantle", f"{MANTLE}/openai/v1/responses"),
    "bedrock-mantle-anthropic": (LETTER, "bedrock-mantle", f"{MANTLE}/anthropic/v1/messages"),
}


def client(*replies: FakeReply, **options: object) -> tuple[Fiber, FakeTransport]:
    """Make a client over a script."""
    transport = FakeTransport(*replies)
    return Fiber(transport=transport, **options), transport  # type: ignore[arg-type]


def test_every_row_is_tried() -> None:
    """The table below holds all of them."""
    assert set(WHERE) == {row.name for row in AWS_ROWS}


@pytest.mark.parametrize("name", WHERE)
def test_keys_of_aws_sign_for_the_rows_own_service_in_their_region(name: str) -> None:
    """One pair of keys serves every row, each signed at the transport's time for its host, region and service."""
    body, service, url = WHERE[name]
    fiber, transport = client(json_reply(body), api_keys={"bedrock": AWSKeys(ID, KEY, TOKEN, region="eu-west-1")})
    transport.clock = 3661.0

    result = fiber.sync.chat("hi", model=f"{name}:a.b:0")

    (sent,) = transport.requests
    assert (result.text, sent.url) == ("Hi.", url)
    assert sent.headers["x-amz-date"] == "20260101T010101Z"
    assert sent.headers["x-amz-security-token"] == TOKEN
    assert f"Credential={ID}/20260101/eu-west-1/{service}/aws4_request, " in sent.headers["authorization"]


def test_every_attempt_is_signed_anew() -> None:
    """A retry comes later, so it is dated later; the waited seconds are in its signature."""
    refusal = json_reply(
        {"message": "Slow down."}, 429, **{"x-amzn-errortype": "ThrottlingException", "retry-after": "9"}
    )
    fiber, transport = client(refusal, json_reply(ANSWER), api_keys={"bedrock": AWSKeys(ID, KEY, region="eu-west-1")})

    fiber.sync.chat("hi", model="bedrock:m")

    assert [sent.headers["x-amz-date"] for sent in transport.requests] == ["20260101T000000Z", "20260101T000009Z"]
    assert len({sent.headers["authorization"] for sent in transport.requests}) == 2


@pytest.mark.parametrize("name", WHERE)
def test_environment_is_enough(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With AWS's own variables every row can be asked."""
    body, service, url = WHERE[name]
    for variable, value in {
        "AWS_ACCESS_KEY_ID": ID,
        "AWS_SECRET_ACCESS_KEY": KEY,
        "AWS_DEFAULT_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(variable, value)
    transport = FakeTransport(json_reply(body))

    Fiber.from_env(transport=transport).sync.chat("hi", model=f"{name}:a.b:0")

    (sent,) = transport.requests
    assert sent.url == url
    assert f"/eu-west-1/{service}/aws4_request" in sent.headers["authorization"]


def test_bearer_key_of_the_environment_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bedrock's own key needs no signature, but a region all the same."""
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key-1")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    transport = FakeTransport(json_reply(ANSWER))

    fiber = Fiber.from_env(transport=transport)
    fiber.sync.chat("hi")

    (sent,) = transport.requests
    assert sent.headers["authorization"] == "Bearer bedrock-api-key-1"
    assert sent.url.startswith(f"{RUNTIME}/model/global.amazon.nova-2-lite-v1%3A0/")


def test_region_of_given_keys_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the caller says holds for all rows of the keys, and the environment for nobody else's."""
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    keys = AWSKeys(ID, KEY, region="eu-west-1")
    transport = FakeTransport(json_reply(ANSWER), json_reply(LETTER))

    fiber = Fiber.from_env(transport=transport, api_keys={"bedrock": keys})
    fiber.sync.chat("hi", model="bedrock:a.b:0")
    fiber.sync.chat("hi", model="bedrock-anthropic:a.b:0")

    assert [sent.url for sent in transport.requests] == [WHERE["bedrock"][2], WHERE["bedrock-anthropic"][2]]


def test_keys_may_come_from_a_callable() -> None:
    """A vault is asked at every call; the base URL then says the region."""
    asked: list[int] = []

    def vault() -> AWSKeys:
        asked.append(1)
        return AWSKeys(ID, KEY, TOKEN)

    fiber, transport = client(
        json_reply(ANSWER), json_reply(LETTER), api_keys={"bedrock": vault}, base_urls={"bedrock": RUNTIME}
    )

    fiber.sync.chat("hi", model="bedrock:m")
    fiber.sync.chat("hi", model="bedrock-anthropic:m")

    assert len(asked) == 2
    assert all("/eu-west-1/bedrock/" in sent.headers["authorization"] for sent in transport.requests)


def test_call_without_a_region_says_what_to_set() -> None:
    """Bedrock has no default region, so nothing is sent."""
    fiber, transport = client(api_keys={"bedrock": "key"})

    with pytest.raises(FiberValidationError, match="AWS_REGION or AWS_DEFAULT_REGION for region") as caught:
        fiber.sync.chat("hi", model="bedrock:m")

    assert caught.value.outcome == "not_sent"
    assert transport.requests == []


def test_row_added_later_is_put_into_the_region_of_its_key() -> None:
    """A view with a row of one's own takes the region from the keys too."""
    fiber, transport = client(json_reply(ANSWER))
    row = AWS_ROWS[0].replace(
        name="mine", base_url="https://bedrock-runtime.{region}.amazonaws.com", aliases=(), prefixes=()
    )

    view = fiber.register_provider(row, api_key=AWSKeys(ID, KEY, region="eu-west-1"))
    view.sync.chat("hi", model="mine:m")

    assert transport.requests[0].url.startswith(RUNTIME)


def test_keys_of_aws_are_sent_to_nobody_else() -> None:
    """In the place of another provider's key they are refused before anything leaves."""
    fiber, transport = client(api_keys={"openai": AWSKeys(ID, KEY)})

    with pytest.raises(FiberAuthError, match="needs a key that can be sent") as caught:
        fiber.sync.chat("hi", model="openai:gpt-6")

    assert caught.value.outcome == "not_sent"
    assert transport.requests == []


def test_error_that_repeats_secrets_is_masked() -> None:
    """AWS repeats the canonical request when a signature is wrong, the session token included."""
    said = {"message": f"The canonical string was x-amz-security-token:{TOKEN} {KEY}"}
    reply = json_reply(said, 403, **{"x-amzn-errortype": "InvalidSignatureException"})
    fiber, _ = client(reply, api_keys={"bedrock": AWSKeys(ID, KEY, TOKEN, region="eu-west-1")})

    with pytest.raises(FiberAuthError) as caught:
        fiber.sync.chat("hi", model="bedrock:m")

    seen = f"{caught.value!r} {caught.value} {caught.value.raw_response}"
    assert TOKEN not in seen
    assert KEY not in seen
    assert "x-amz-security-token:***" in caught.value.message


@pytest.mark.parametrize("model", ["us.anthropic.claude-opus-4-7", "amazon.nova-lite-v1:0", "global.x", "aws:m"])
def test_names_of_bedrock_are_routed_to_it(model: str) -> None:
    """Vendors' and regions' prefixes belong to Bedrock, whose row is also called aws."""
    assert Fiber().route(model).provider == "bedrock"


@pytest.mark.anyio
async def test_path_arrives_as_it_was_signed() -> None:
    """What a server receives is the encoded path that the signature covers."""
    with MockServer() as server:
        fiber = Fiber(
            api_keys={"bedrock": AWSKeys(ID, KEY, region="eu-west-1")},
            base_urls={"bedrock": server.base_url("bedrock")},
        )
        async with fiber:
            result = await fiber.chat("hello", model="bedrock:arn:aws:bedrock:eu-west-1:1:inference-profile/a.b-v1:0")

    (request,) = server.requests
    assert result.text == "You said: hello"
    assert request.path == "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Fa.b-v1%3A0/converse"
    assert request.model == "arn:aws:bedrock:eu-west-1:1:inference-profile/a.b-v1:0"


def test_lists_of_models_are_those_of_the_mantle_hosts() -> None:
    """The others have theirs at the host of the control plane."""
    assert {row.name: row.models_path for row in AWS_ROWS} == {
        "bedrock": "",
        "bedrock-anthropic": "",
        "bedrock-mantle": "/models",
        "bedrock-mantle-responses": "/models",
        "bedrock-mantle-anthropic": "/v1/models",
    }
