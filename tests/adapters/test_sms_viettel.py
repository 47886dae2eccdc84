"""Cases of sms_viettel, and what SOAP adds."""

from __future__ import annotations

import pytest
from lxml import etree

from channels_adapters.core.interface import Content, Next, Reason
from channels_adapters.core.soap import envelope, returned
from channels_adapters.sms_viettel import ERRORS
from tests.adapters.brandname import COMMON, SETTINGS, TEXT
from tests.adapters.contract import REFERENCE, Cases, Failure, build, message
from tests.adapters.provider import Answer

REPLY = """<?xml version="1.0"?><S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>
<ns2:wsCpMtResponse xmlns:ns2="http://impl.bulkSms.ws/"><return><message>{}</message><result>{}</result></return>
</ns2:wsCpMtResponse></S:Body></S:Envelope>"""
FAULT = """<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body><S:Fault>
<faultcode>S:Client</faultcode><faultstring>{}</faultstring></S:Fault></S:Body></S:Envelope>"""


def told(words: str, result: int = 0) -> Answer:
    return Answer(200, REPLY.format(words, result).encode(), {"Content-Type": "text/xml; charset=utf-8"})


def asks(seen) -> None:
    assert (seen.method, seen.path) == ("POST", "/viettel/bulkapi")
    assert seen.headers["content-type"] == "text/xml; charset=utf-8"
    (call,) = etree.fromstring(seen.body).find("{http://schemas.xmlsoap.org/soap/envelope/}Body")
    assert call.tag == "{http://impl.bulkSms.ws/}wsCpMt"
    assert [(element.tag, element.text) for element in call] == [
        ("User", "bacninh"),
        ("Password", "SECRETpass"),
        ("CPCode", "BNPROV"),
        ("RequestID", REFERENCE),
        ("UserID", "84912345678"),
        ("ReceiverID", "84912345678"),
        ("ServiceID", "BACNINH"),
        ("CommandCode", "bulksms"),
        ("Content", TEXT),
        ("ContentType", "1"),
    ]


CASES = Cases(
    settings={
        "endpoint": "http://10.9.8.7:8009/bulkapi",
        "user": "bacninh",
        "password": "SECRETpass",
        "cp_code": "BNPROV",
        **SETTINGS,
    },
    **COMMON,
    accepted=told("Insert MT_QUEUE: OK", 1),
    provider_id=REFERENCE,
    asks=asks,
    failures=(
        *tuple(
            Failure(code, told(f"{code.title() if ' ' in code else code}:TELCO=84912345678"), *known)
            for code, known in ERRORS.items()
        ),
        Failure("other words", told("Something else"), Next.GIVE_UP, Reason.UNKNOWN),
    ),
    unreadable=(
        Answer(200, FAULT.format("wrong").encode()),
        Answer(200, b"<return><message>OK</message></return>"),
    ),
    healthy=(Answer(200, REPLY.format("500000", 0).encode()),),
)


async def test_a_repetition_it_knows_is_an_acceptance(provider, transport):
    adapter = build("sms_viettel", transport, provider.url)
    provider.will(told("Duplicate message"))
    (outcome,) = await adapter.send([message(adapter, CASES)])
    assert outcome.next is None


@pytest.mark.parametrize("text", ["a < b & c > d ]]> \"'", "<x/>&amp;", "dòng một\nhai", "😀"])
async def test_any_text_comes_through_the_markup(text, provider, transport):
    adapter = build("sms_viettel", transport, provider.url)
    provider.will(told("OK", 1))
    await adapter.send([message(adapter, CASES, Content(text))])
    root = etree.fromstring(provider.seen[0].body)
    assert root.find(".//Content").text == text


def test_characters_xml_cannot_carry_are_left_out():
    document = envelope("urn:x", "call", {"Content": "một\x00\x0bhai\ufffe"})
    assert etree.fromstring(document).find(".//Content").text == "mộthai"


def test_no_entity_of_a_reply_is_resolved(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("confidential")
    for entity in (f'<!ENTITY x SYSTEM "file://{secret}">', '<!ENTITY x "confidential">'):
        document = f"<!DOCTYPE r [{entity}]><r><return><message>&x;</message><result>1</result></return></r>"
        assert "confidential" not in str(returned(document.encode()))


async def test_a_refused_account_is_a_problem(provider, transport):
    adapter = build("sms_viettel", transport, provider.url)
    provider.will(told("WRONG_INFORMATION_AUTHENTICATE"))
    assert [problem.fatal for problem in await adapter.check()] == [True]
