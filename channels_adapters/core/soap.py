"""SOAP 1.1 calls: a body of plain elements out, the text of one element back. Nothing in a reply is resolved."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
# Characters XML 1.0 cannot carry; lxml refuses them.
_FORBIDDEN = dict.fromkeys(n for n in range(32) if n not in (9, 10, 13)) | {0xFFFE: None, 0xFFFF: None}


def envelope(namespace: str, operation: str, arguments: Mapping[str, str]) -> bytes:
    """The document of one call; arguments are elements without a namespace."""
    root = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap={"soapenv": ENVELOPE, "impl": namespace})
    etree.SubElement(root, f"{{{ENVELOPE}}}Header")
    call = etree.SubElement(etree.SubElement(root, f"{{{ENVELOPE}}}Body"), f"{{{namespace}}}{operation}")
    for name, value in arguments.items():
        etree.SubElement(call, name).text = value.translate(_FORBIDDEN)
    document: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return document


def returned(document: bytes) -> dict[str, str]:
    """The elements of ``<return>`` by name, or ``faultstring`` of a fault; empty for what is no SOAP."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError):
        return {}
    found = {}
    for element in root.iterfind(".//{*}return/*"):
        if isinstance(element.tag, str):
            found[etree.QName(element).localname] = (element.text or "").strip()
    for element in root.iterfind(".//{*}faultstring"):
        found["faultstring"] = (element.text or "").strip()
    return found
