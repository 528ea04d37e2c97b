"""Model cards and regimens: cached by validator, as JSON or as a page."""

import pytest

from tests.support.app_client import AppClient

PATHS = ["/v1/models", "/v1/models/loris-nsclc", "/v1/regimens"]


@pytest.mark.parametrize("path", PATHS)
def test_what_the_caller_has_is_not_sent_again(client: AppClient, path: str) -> None:
    first = client.get(path)
    assert first.status_code == 200
    assert first.headers["content-type"] == "application/json"
    assert first.headers["cache-control"] == "private, no-cache"
    etag = first.headers["etag"]
    assert etag.startswith('"sha256-')
    for tag in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = client.get(path, headers={"if-none-match": tag})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == etag
        assert again.headers["cache-control"] == "private, no-cache"
    assert client.get(path, headers={"if-none-match": '"other"'}).content == first.content


def test_a_card_is_json_or_a_page_with_a_validator_each(client: AppClient) -> None:
    path = "/v1/models/loris-nsclc"
    browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    tags = set()
    for accept, media_type in (
        ("*/*", "application/json"),
        ("application/json, text/html;q=0.9", "application/json"),
        (browser, "text/html; charset=utf-8"),
        ("text/*", "text/html; charset=utf-8"),
    ):
        answer = client.get(path, headers={"accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
        assert answer.headers["vary"] == "Accept, Authorization, X-API-Key"
        tags.add(answer.headers["etag"])
        same = {"accept": accept, "if-none-match": answer.headers["etag"]}
        assert client.get(path, headers=same).status_code == 304
    assert len(tags) == 2
    assert "default-src 'none'" in client.get(path, headers={"accept": browser}).headers["content-security-policy"]
    refused = client.get(path, headers={"accept": "image/png"})
    assert (refused.status_code, refused.json()["type"]) == (406, "/problems/not-acceptable")
