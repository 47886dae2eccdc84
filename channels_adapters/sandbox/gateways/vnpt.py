"""VNPT / Vinaphone brandname, at ``/vnpt/smsmarketing/api`` and ``/vnpt/smsbn/api``. From client libraries.

``send_sms_list`` and ``get_sms_status_api``; template creation is not documented publicly.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from ..http import Answer, BadRequest, Reply, Request
from ..phone import vietnamese
from ..sms_gateway import SmsGateway, numeric_id

_TEXTS = {
    "0": "success",
    "1": "Invalid user or password",
    "2": "Invalid request parameters",
    "3": "Label is not valid",
    "16": "System error, please try again",
    "23": "Mobile number is not valid",
    "30": "Template is not valid",
    "33": "Duplicate request",
    "-1": "Internal error",
}


class Vnpt(SmsGateway):
    name = "vnpt"
    label = "SMS (VNPT)"
    settings = {
        "SANDBOX_VNPT_API_USER": "ubnd_bacninh",
        "SANDBOX_VNPT_API_PASS": "sandbox-vnpt-password",
        "SANDBOX_VNPT_LABEL_ID": "12345",
        "SANDBOX_VNPT_TEMPLATE_ID": "67890",
        "SANDBOX_VNPT_AGENT_ID": "111",
        "SANDBOX_VNPT_CONTRACT_ID": "222",
        "SANDBOX_VNPT_LABEL": "UBND-BN",
    }

    @staticmethod
    def _answer(code: str) -> Reply:
        return Reply.json({"RPLY": {"name": "send_sms_list", "ERROR": code, "ERROR_DESC": _TEXTS[code]}})

    def handle(self, request: Request, path: str) -> Answer | Awaitable[Answer]:
        if request.method != "POST" or path not in ("/smsmarketing/api", "/smsbn/api"):
            return Reply(404)
        try:
            body = request.json_object.get("RQST")
        except BadRequest:
            return self._answer("2")
        if isinstance(body, dict) and body.get("name") == "send_sms_list":
            return self._send(body)
        if isinstance(body, dict) and body.get("name") == "get_sms_status_api":
            return self._state(body)
        return self._answer("2")

    def _state(self, body: Mapping[str, Any]) -> Reply:
        """STATUS: 0 sent, 10 wrong user. What it says of a request it never got is not known: a parameter is wrong."""
        user = (body.get("APIUSER"), body.get("APIPASS"))
        known = self.known_request(str(body.get("REQID") or ""))
        if user != (self.config["SANDBOX_VNPT_API_USER"], self.config["SANDBOX_VNPT_API_PASS"]):
            status = "10"
        elif known:
            status = "0"
        else:
            return self._answer("2")
        return Reply.json({"RPLY": {"name": "get_sms_status_api", "STATUS": status, "MT_COUNT": "1"}})

    def _send(self, body: Mapping[str, Any]) -> Answer | Awaitable[Answer]:
        config = self.config
        user = (body.get("APIUSER"), body.get("APIPASS"))
        if user != (config["SANDBOX_VNPT_API_USER"], config["SANDBOX_VNPT_API_PASS"]):
            return self._answer("1")
        owner = (str(body.get("LABELID")), str(body.get("AGENTID")), str(body.get("CONTRACTID")))
        mine = (config["SANDBOX_VNPT_LABEL_ID"], config["SANDBOX_VNPT_AGENT_ID"], config["SANDBOX_VNPT_CONTRACT_ID"])
        if owner != mine:
            return self._answer("3")
        if str(body.get("TEMPLATEID")) != config["SANDBOX_VNPT_TEMPLATE_ID"]:
            return self._answer("30")
        params, request_id = body.get("PARAMS"), str(body.get("REQID") or "")
        if not isinstance(params, list) or not params or not request_id:
            return self._answer("2")
        text = " ".join(str(p.get("CONTENT", "")) for p in sorted(params, key=lambda p: int(p.get("NUM", 0))))
        numbers = [vietnamese(p.strip()) for p in str(body.get("MOBILELIST", "")).split(",") if p.strip()]
        phones = [p for p in numbers if p and not self.refuses(p)]
        if not text.strip() or str(body.get("CONTRACTTYPEID")) not in ("1", "2"):
            return self._answer("2")
        if not phones or len(phones) != len(numbers):
            return self._answer("23")
        return self.send(phones[0], lambda: self._accept(phones, text, request_id))

    def _accept(self, phones: Sequence[str], text: str, request_id: str) -> Reply:
        if self.known_request(request_id):
            return self._answer("33")
        batch = numeric_id()
        reference = request_id if len(phones) == 1 else ""
        label = self.config["SANDBOX_VNPT_LABEL"]
        self.accept(
            *(
                self.sms(f"{batch}/{n}", p, text, label, reference=reference, batch=batch, request=request_id)
                for n, p in enumerate(phones)
            )
        )
        self.remember_request(request_id, batch)
        return self._answer("0")

    def rate_limited(self, seconds: float) -> Reply:
        return self._answer("16")
