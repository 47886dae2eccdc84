"""The Vietnamese SMS gateways over real HTTP."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from .conftest import Receiver, Sandbox

TEXT = "UBND xa moi ba con hop luc 8 gio sang mai"


def post(sandbox: Sandbox, path: str, data: dict, **headers: str) -> dict:
    return httpx.post(sandbox.url + path, json=data, headers=headers, timeout=5).json()


def total(sandbox: Sandbox) -> int:
    return sandbox.control("GET", "stats")["accepted"]


# -- eSMS

KEYS = {"ApiKey": "SANDBOXESMSAPIKEY", "SecretKey": "SANDBOXESMSSECRET"}
ESMS = "/esms/MainService.svc/json/"


def esms(sandbox: Sandbox, **changes: str) -> dict:
    body = {**KEYS, "Phone": "0912345678", "Content": TEXT, "Brandname": "UBND-BN", "SmsType": "2", "IsUnicode": "0"}
    return post(sandbox, f"{ESMS}SendMultipleMessage_V4_post_json/", {**body, "RequestId": "d-1", **changes})


async def test_esms_sends_once_per_request_id_and_reports_by_get(sandbox, receiver: Receiver):
    first = esms(sandbox, CallbackUrl=f"{receiver.url}/secret")
    assert first["CodeResult"] == "100"
    again = esms(sandbox)
    assert (again["CodeResult"], again["SMSID"]) == ("124", first["SMSID"])
    assert sandbox.accepted("d-1") == 1
    query = parse_qs(urlsplit((await receiver.wait(1))[0].url).query)
    assert (query["SMSID"], query["SendSuccess"], query["RequestId"]) == ([first["SMSID"]], ["1"], ["d-1"])
    assert (query["telcoid"], query["phonenumber"]) == (["3"], ["84912345678"])
    status = sandbox.get(f"{ESMS}GetSendStatus", params={"RefId": first["SMSID"], **KEYS}).json()
    assert (status["SendStatus"], status["SendSuccess"]) == (5, 1)
    sandbox.kill()
    sandbox.start()
    assert esms(sandbox)["CodeResult"] == "124"  # also after a restart


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ApiKey": "x"}, "101"),
        ({"Brandname": "Baotrixemay"}, "104"),
        ({"Phone": "0212345678"}, "108"),
        ({"Phone": "0912340006"}, "99"),
        ({"Content": "Mời họp"}, "120"),
        ({"SmsType": "9"}, "118"),
    ],
)
def test_esms_refusals(sandbox, changes, code):
    assert esms(sandbox, **changes)["CodeResult"] == code
    assert total(sandbox) == 0


def test_esms_advertising_needs_thirty_phones(sandbox):
    def ads(count: int) -> dict:
        phones = ",".join(f"0912345{n:03}" for n in range(100, 100 + count))
        body = {**KEYS, "Phones": phones, "Content": "[QC] " + TEXT, "Brandname": "UBND-BN", "SmsType": "1"}
        return post(sandbox, f"{ESMS}SendMultipleSMSBrandname_json/", body)

    assert ads(29)["CodeResult"] == "107"
    sent = ads(30)
    assert (sent["CodeResult"], total(sandbox)) == ("100", 30)
    listed = sandbox.get(f"{ESMS}GetSmsReceiverStatus_get", params={"RefId": sent["SMSID"], **KEYS}).json()
    assert len(listed["ReceiverList"]) == 30


# -- SpeedSMS


async def test_speedsms(sandbox, receiver):
    sandbox.control("POST", "webhooks", {"speedsms": f"{receiver.url}/s"})

    def send(token: str = "sandbox-speedsms-token", **changes: object) -> dict:
        body = {"to": ["0912345678", "84912340001", "12"], "content": TEXT, "sms_type": 3, "sender": "UBND-BN"}
        reply = httpx.post(f"{sandbox.url}/speedsms/index.php/sms/send", json={**body, **changes}, auth=(token, "x"))
        return reply.json()

    sent = send()
    assert (sent["status"], sent["code"]) == ("success", "00")
    assert (sent["data"]["totalSMS"], sent["data"]["invalidPhone"]) == (2, ["12"])
    reports = {c["phone"]: c for c in (json.loads(c.body) for c in await receiver.wait(2))}
    assert (reports["84912345678"]["status"], reports["84912340001"]["status"]) == (0, 64)
    assert reports["84912345678"]["tranId"] == str(sent["data"]["tranId"])
    assert send("stolen")["code"] == "009"
    assert send(to=["12"])["code"] == "105"
    assert send(content="a" * 919)["code"] == "113"
    assert send(content="")["code"] == "101"
    sandbox.fault("server_error")
    assert send()["code"] == "500"


# -- VNPT


def test_vnpt(sandbox):
    def send(**changes: object) -> str:
        body = {
            "name": "send_sms_list",
            "REQID": "d-7",
            "LABELID": "12345",
            "CONTRACTTYPEID": "1",
            "CONTRACTID": "222",
            "TEMPLATEID": "67890",
            "PARAMS": [{"NUM": "2", "CONTENT": "luc 8 gio"}, {"NUM": "1", "CONTENT": "Moi hop"}],
            "MOBILELIST": "84912345678",
            "AGENTID": "111",
            "APIUSER": "ubnd_bacninh",
            "APIPASS": "sandbox-vnpt-password",
        }
        return post(sandbox, "/vnpt/smsmarketing/api", {"RQST": {**body, **changes}})["RPLY"]["ERROR"]

    assert send() == "0"
    assert sandbox.get("/control/accepted?reference=d-7").json()["messages"][0]["text"] == "Moi hop luc 8 gio"
    assert send() == "33"
    assert send(REQID="d-8", APIPASS="x") == "1"
    assert send(REQID="d-8", LABELID="9") == "3"
    assert send(REQID="d-8", TEMPLATEID="9") == "30"
    assert send(REQID="d-8", MOBILELIST="84212345678") == "23"
    assert total(sandbox) == 1


# -- Viettel


def viettel(sandbox: Sandbox, **changes: str) -> str:
    arguments = {
        "User": "ubnd_bacninh",
        "Password": "sandbox-viettel-password",
        "CPCode": "UBNDBN",
        "RequestID": "d-5",
        "UserID": "84981234567",
        "ReceiverID": "84981234567",
        "ServiceID": "UBND-BN",
        "CommandCode": "bulksms",
        "Content": "Mời họp &amp; thảo luận",
        "ContentType": "1",
        **changes,
    }
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in arguments.items())
    envelope = (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:impl="http://impl.bulkSms.ws/"><soapenv:Body>'
        f"<impl:wsCpMt>{inner}</impl:wsCpMt></soapenv:Body></soapenv:Envelope>"
    )
    reply = httpx.post(f"{sandbox.url}/viettel/bulkapi?wsdl", content=envelope, headers={"content-type": "text/xml"})
    result, message = (reply.text.partition(f"<{t}>")[2].partition("<")[0] for t in ("result", "message"))
    return "ok" if result == "1" else message


def test_viettel(sandbox):
    assert viettel(sandbox) == "ok"
    assert sandbox.get("/control/accepted?reference=d-5").json()["messages"][0]["text"] == "Mời họp & thảo luận"
    assert viettel(sandbox) == "DUPLICATE MESSAGE"
    assert viettel(sandbox, RequestID="d-6", ContentType="0").startswith("Check CONTENT")
    assert viettel(sandbox, Password="x").endswith("WRONG_INFORMATION_AUTHENTICATE")
    assert viettel(sandbox, CPCode="x").endswith("CP_CODE_NOT_FOUND")
    assert viettel(sandbox, ServiceID="x").endswith("ALIAS_INVALID:TELCO=VTL")
    assert viettel(sandbox, RequestID="d-6", Content="a" * 403).endswith("MAXLENGTH_LIMIT")
    sandbox.fault("rate_limit")
    assert viettel(sandbox, RequestID="d-7") == "Check information error"
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
    assert httpx.post(f"{sandbox.url}/viettel/bulkapi", content=bomb).status_code == 500


# -- FPT, VMG, Stringee


def test_fpt(sandbox):
    def token(**changes: str) -> httpx.Response:
        body = {"grant_type": "client_credentials", "client_id": "sandbox-fpt-client", "session_id": "s1"}
        body |= {"client_secret": "sandbox-fpt-secret", "scope": "send_brandname_otp", **changes}
        return httpx.post(f"{sandbox.url}/fpt/oauth2/token", json=body)

    assert token(client_secret="x").status_code == 401
    access = token().json()["access_token"]

    def push(**changes: str) -> dict:
        message = base64.b64encode("Mời họp".encode()).decode()
        body = {"access_token": access, "session_id": "s1", "BrandName": "UBND-BN", "Phone": "0912345678"}
        return post(sandbox, "/fpt/api/push-brandname-otp", body | {"Message": message, "RequestId": "d-2"} | changes)

    first = push()
    assert first["Message"] == "Mời họp" and push()["MessageId"] == first["MessageId"]
    assert sandbox.accepted("d-2") == 1
    assert push(access_token="x")["error"] == 1011
    assert push(Message="không phải base64")["error"] == 1001


def test_vmg(sandbox):
    def send(token: str = "sandbox-vmg-token", **changes: object) -> str:
        body = {"to": "84912345678", "from": "UBND-BN", "message": TEXT, "requestId": "d-4", "useUnicode": 0, "type": 1}
        return post(sandbox, "/vmg/api/SMSBrandname/SendSMS", {**body, **changes}, token=token)["errorCode"]

    assert [send(), send()] == ["000", "005"]
    assert send("x") == "001"
    assert send(message="Mời họp", requestId="d-5") == "004"
    assert send(scheduled="2026-11-28", requestId="d-5") == "004"
    assert send(scheduled="28-11-2026 08:00", requestId="d-5") == "000"


def test_stringee(sandbox):
    def jwt(**changes: object) -> str:
        def part(data: dict) -> str:
            return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()

        claims = {"jti": "1", "iss": "SK.0.sandbox", "exp": int(time.time()) + 600, "rest_api": True, **changes}
        signed = part({"typ": "JWT", "alg": "HS256", "cty": "stringee-api;v=1"}) + "." + part(claims)
        mac = hmac.digest(b"sandbox-stringee-key-secret-0000", signed.encode(), hashlib.sha256)
        return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    messages = [{"from": "UBND-BN", "to": p, "text": TEXT} for p in ("84912345678", "84212345678")]
    url, body = f"{sandbox.url}/stringee/v1/sms", {"sms": messages}
    sent = httpx.post(url, json=body, headers={"x-stringee-auth": jwt()}).json()
    assert sent["smsSent"] == 1 and [r["r"] for r in sent["result"]] == [0, 7]
    for wrong in (jwt(exp=1), jwt(iss="x"), jwt() + "x", "rubbish"):
        assert httpx.post(url, json=body, headers={"x-stringee-auth": wrong}).status_code == 401
