"""A token issuer on loopback: keys of several types, and an endpoint that can hang or fail."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm


class Issuer:
    """Signs tokens and serves its public keys; ``delay_seconds`` and ``status`` say how well."""

    def __init__(self) -> None:
        self.rsa = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.ec = ec.generate_private_key(ec.SECP256R1())
        self.ed25519 = ed25519.Ed25519PrivateKey.generate()
        self.keys = [
            {**json.loads(RSAAlgorithm.to_jwk(self.rsa.public_key())), "kid": "r", "use": "sig", "alg": "RS256"},
            {**json.loads(ECAlgorithm.to_jwk(self.ec.public_key())), "kid": "e", "use": "sig"},
            {**json.loads(OKPAlgorithm.to_jwk(self.ed25519.public_key())), "kid": "o"},
            {"kty": "oct", "k": "c2VjcmV0", "kid": "s"},
        ]
        self.delay_seconds = 0.0
        self.status = 200
        self.fetches = 0
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.fetches += 1
                document = json.dumps({"keys": issuer.keys}).encode()
                time.sleep(issuer.delay_seconds)
                self.send_response(issuer.status)
                self.send_header("content-type", "application/json")
                self.end_headers()
                self.wfile.write(document)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks"

    def settings(self) -> dict[str, str]:
        """What a service needs to trust this issuer."""
        return {
            "auth": "oidc",
            "oidc_issuer": "https://issuer.test",
            "oidc_audience": "abscope",
            "oidc_jwks_url": self.url,
        }

    def token(self, algorithm: str = "RS256", kid: str | None = None, **changes: Any) -> str:
        claims = {
            "iss": "https://issuer.test",
            "aud": "abscope",
            "sub": "someone",
            "tenant": "clinic",
            "scope": "runs:read runs:write",
            "iat": 1_700_000_000,
            "exp": 4_000_000_000,
        } | changes
        claims = {name: value for name, value in claims.items() if value is not ABSENT}
        key: Any = self.ec if algorithm.startswith("ES") else self.rsa
        own = "e" if algorithm.startswith("ES") else "r"
        if algorithm == "HS256":
            key = "x" * 32
        if algorithm == "EdDSA":
            key, own = self.ed25519, "o"
        return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid or own})

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


ABSENT = object()
"""The claim is left out."""
