"""Viettel bulk SMS over SOAP, at ``/viettel/bulkapi``. From client libraries; no receipts are known to exist."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from ..http import Answer, Reply, Request
from ..phone import is_gsm, vietnamese
from ..sms_gateway import SmsGateway, numeric_id

_NAMESPACE = "http://impl.bulkSms.ws/"
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_OPERATIONS = ("wsCpMt", "checkBalance")


def _envelope(body: str, status: int = 200) -> Reply:
    text = f'<?xml version="1.0" encoding="UTF-8"?><S:Envelope xmlns:S="{_SOAP}"><S:Body>{body}</S:Body></S:Envelope>'
    return Reply(status, text.encode(), "text/xml; charset=utf-8")


def _fault(text: str) -> Reply:
    return _envelope(
        f"<S:Fault><faultcode>S:Client</faultcode><faultstring>{escape(text)}</faultstring></S:Fault>", 500
    )


class Viettel(SmsGateway):
    name = "viettel"
    label = "SMS (Viettel)"
    settings = {
        "SANDBOX_VIETTEL_USER": "ubnd_bacninh",
        "SANDBOX_VIETTEL_PASSWORD": "sandbox-viettel-password",
        "SANDBOX_VIETTEL_CP_CODE": "UBNDBN",
        "SANDBOX_VIETTEL_SERVICE_ID": "UBND-BN",
    }

    def handle(self, request: Request, path: str) -> Answer | Awaitable[Answer]:
        if request.method != "POST" or path.rstrip("/") != "/bulkapi":
            return Reply(404)
        if b"<!DOCTYPE" in request.body or b"<!ENTITY" in request.body:
            return _fault("DTD is not allowed")
        try:
            root = ElementTree.fromstring(request.body)  # noqa: S314 - without a DTD there is nothing to expand
        except ElementTree.ParseError as e:
            return _fault(f"Couldn't create SOAP message due to exception: {e}")
        for operation in _OPERATIONS:
            call = root.find(f"{{{_SOAP}}}Body/{{{_NAMESPACE}}}{operation}")
            if call is not None:
                arguments = {child.tag.rpartition("}")[2]: child.text or "" for child in call}
                return self._balance(arguments) if operation == "checkBalance" else self._send(arguments)
        return _fault("Cannot find dispatch method")

    @staticmethod
    def _answer(result: int, message: str) -> Reply:
        inner = f"<return><message>{escape(message)}</message><result>{result}</result></return>"
        return _envelope(f'<ns2:wsCpMtResponse xmlns:ns2="{_NAMESPACE}">{inner}</ns2:wsCpMtResponse>')

    def _authentic(self, arguments: Mapping[str, str]) -> bool:
        given = (arguments.get("User"), arguments.get("Password"))
        return given == (self.config["SANDBOX_VIETTEL_USER"], self.config["SANDBOX_VIETTEL_PASSWORD"])

    def _balance(self, arguments: Mapping[str, str]) -> Reply:
        code, text, balance = (0, "Success", 10_000_000) if self._authentic(arguments) else (1, "Authenticate fail", 0)
        inner = f"<return><balance>{balance}</balance><errCode>{code}</errCode><errDesc>{text}</errDesc></return>"
        return _envelope(f'<ns2:checkBalanceResponse xmlns:ns2="{_NAMESPACE}">{inner}</ns2:checkBalanceResponse>')

    def _send(self, arguments: Mapping[str, str]) -> Answer | Awaitable[Answer]:
        if not self._authentic(arguments):
            return self._answer(0, "Authenticate: WRONG_INFORMATION_AUTHENTICATE")
        if arguments.get("CPCode") != self.config["SANDBOX_VIETTEL_CP_CODE"]:
            return self._answer(0, "CP: CP_CODE_NOT_FOUND")
        if arguments.get("ServiceID") != self.config["SANDBOX_VIETTEL_SERVICE_ID"]:
            return self._answer(0, "Check ALIAS: ALIAS_INVALID:TELCO=VTL")
        phone, text = vietnamese(arguments.get("ReceiverID", "")), arguments.get("Content", "")
        if arguments.get("CommandCode") != "bulksms" or phone is None or not text.strip():
            return self._answer(0, "Check PARAMS: PARAMS_INVALID")
        kind = arguments.get("ContentType")
        if kind not in ("0", "1") or (kind == "0" and not is_gsm(text)):
            return self._answer(0, "Check CONTENT: MSG_ERROR_CONTENT_TYPE")
        if len(text) > (918 if kind == "0" else 402):
            return self._answer(0, "Check CONTENT: MAXLENGTH_LIMIT")
        return self.send(phone, lambda: self._accept(phone, text, arguments))

    def _accept(self, phone: str, text: str, arguments: Mapping[str, str]) -> Reply:
        request_id = arguments.get("RequestID", "")
        # Viettel's RequestID alone is often a constant 1: the pair with the phone and text tells a repeat
        key = f"{request_id} {phone} {text}"
        if request_id not in ("", "1") and self.known_request(key):
            return self._answer(0, "DUPLICATE MESSAGE")
        if self.refuses(phone):
            return self._answer(0, "Check TEMPLATE: PHONE_INVALID")
        id = numeric_id()
        reference = request_id if request_id != "1" else ""
        self.accept(self.sms(id, phone, text, arguments["ServiceID"], reference=reference, request=key))
        self.remember_request(key, id)
        return self._answer(1, "Insert MT_QUEUE: OK")

    def rate_limited(self, seconds: float) -> Reply:
        return self._answer(0, "Check information error")
