"""Zalo's OAuth v4 for official accounts: consent, and tokens whose refresh token works once.

An unused refresh token can be exchanged exactly once; the exchange answers with a new pair. Whoever loses the
answer has lost the account until a person consents again, here as there.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from ..http import Reply, Request
from ..store import Store

_CODE_LIVES = 600  # seconds


def _error(code: int, name: str) -> Reply:
    reference = "https://developers.zalo.me/docs/official-account/bat-dau/xac-thuc-va-uy-quyen-cho-ung-dung-new"
    return Reply.json({"error": code, "error_name": name, "error_reason": name, "ref_doc": reference})


class OAuth:
    """``config`` has the SANDBOX_ZALO_ settings. The first pair of tokens is in the settings too."""

    def __init__(self, store: Store, config: Mapping[str, str]) -> None:
        self.store = store
        self.config = config
        self._codes: dict[str, tuple[float, str]] = {}  # code -> (made at, challenge)

    def valid(self, access_token: str) -> bool:
        pair = self._pair()
        return secrets.compare_digest(access_token.encode(), pair["access"].encode()) and time.time() < pair["until"]

    def routes(self) -> dict[tuple[str, str], Callable[[Request], Reply]]:
        return {("GET", "/v4/oa/permission"): self._consent, ("POST", "/v4/oa/access_token"): self._token}

    def _pair(self) -> dict[str, Any]:
        first = {
            "access": self.config["SANDBOX_ZALO_ACCESS_TOKEN"],
            "refresh": self.config["SANDBOX_ZALO_REFRESH_TOKEN"],
            "until": float("inf"),
        }
        return dict(self.store.get("zalo", "tokens") or first)

    def _consent(self, request: Request) -> Reply:
        """The consent page; here the officer always agrees."""
        query = request.query
        if query.get("app_id") != self.config["SANDBOX_ZALO_APP_ID"]:
            return _error(-14002, "Invalid app id")
        if not query.get("redirect_uri", "").startswith(("http://", "https://")):
            return _error(-14003, "Invalid redirect uri")
        code = secrets.token_urlsafe(24)
        self._codes[code] = (time.time(), query.get("code_challenge", ""))
        back = {"code": code, "oa_id": self.config["SANDBOX_ZALO_OA_ID"]}
        if "state" in query:
            back["state"] = query["state"]
        mark = "&" if "?" in query["redirect_uri"] else "?"
        return Reply(302, headers=(("location", f"{query['redirect_uri']}{mark}{urlencode(back)}"),))

    def _token(self, request: Request) -> Reply:
        form = request.form
        if request.headers.get("secret_key") != self.config["SANDBOX_ZALO_APP_SECRET"]:
            return _error(-14004, "Invalid secret key")
        if form.get("app_id") != self.config["SANDBOX_ZALO_APP_ID"]:
            return _error(-14002, "Invalid app id")
        if form.get("grant_type") == "authorization_code":
            made, challenge = self._codes.pop(form.get("code", ""), (0.0, ""))
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            verified = not challenge or challenge == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            if time.time() - made > _CODE_LIVES or not verified:
                return _error(-14007, "Invalid authorization code")
        elif form.get("grant_type") == "refresh_token":
            if form.get("refresh_token") != self._pair()["refresh"]:
                return _error(-14014, "Invalid refresh token")
        else:
            return _error(-14006, "Invalid grant type")
        seconds = int(self.config["SANDBOX_ZALO_EXPIRES_IN"])
        pair = {
            "access": secrets.token_urlsafe(48),
            "refresh": secrets.token_urlsafe(48),
            "until": time.time() + seconds,
        }
        self.store.put("zalo", "tokens", pair)
        return Reply.json(
            {"access_token": pair["access"], "refresh_token": pair["refresh"], "expires_in": str(seconds)}
        )
