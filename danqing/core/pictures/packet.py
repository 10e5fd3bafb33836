"""XMP packets: the recipe and what people say of a picture, in any spelling that XML allows; needs no torch.

Source: ISO 16684-1 (XMP), 7 (serialisation); Dublin Core terms.
"""

from __future__ import annotations

from xml.etree import ElementTree
from xml.sax.saxutils import escape

RECIPE = "{urn:danqing:recipe}recipe"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
DC = "{http://purl.org/dc/elements/1.1/}"
TIFF_ORIENTATION = "{http://ns.adobe.com/tiff/1.0/}Orientation"
TERMS = {"Title": ("title", "Alt"), "Author": ("creator", "Seq"), "Description": ("description", "Alt"),
         "Copyright": ("rights", "Alt")}  # fmt: skip
PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
    ' xmlns:danqing="urn:danqing:recipe" xmlns:dc="http://purl.org/dc/elements/1.1/">{}</rdf:Description></rdf:RDF>'
    '</x:xmpmeta><?xpacket end="w"?>'
)


def write(recipe: str | None, texts: dict[str, str]) -> bytes:
    """A packet with a recipe's JSON and texts by PNG's keywords, as far as Dublin Core has a place for them."""
    inner = "" if recipe is None else f"<danqing:recipe>{escape(recipe)}</danqing:recipe>"
    for keyword, (term, group) in TERMS.items():
        if keyword in texts:
            language = ' xml:lang="x-default"' if group == "Alt" else ""
            item = f"<rdf:li{language}>{escape(_plain(texts[keyword]))}</rdf:li>"
            inner += f"<dc:{term}><rdf:{group}>{item}</rdf:{group}></dc:{term}>"
    return PACKET.format(inner).encode() if inner else b""


def recipe_text(packet: bytes) -> str | None:
    """The recipe's JSON in a packet, as an element or as an attribute, whatever its prefix."""
    return _value(_parse(packet), RECIPE)


def texts_of(packet: bytes) -> dict[str, str]:
    """What Dublin Core says in a packet, by PNG's keywords."""
    root = _parse(packet)
    found = {keyword: _value(root, DC + term) for keyword, (term, _) in TERMS.items()}
    return {keyword: text for keyword, text in found.items() if text}


def orientation_of(packet: bytes) -> int:
    """The EXIF orientation that a packet names; 1 if it names none."""
    text = _value(_parse(packet), TIFF_ORIENTATION) or ""
    return int(text) if text.strip() in set("12345678") else 1


def _parse(packet: bytes) -> ElementTree.Element | None:
    is_wide = packet[:2] in (b"\xff\xfe", b"\xfe\xff")  # UTF-16
    try:
        return ElementTree.fromstring(packet if is_wide else packet.strip(b"\0 \r\n\t"))
    except (ElementTree.ParseError, ValueError, LookupError):
        return None


def _value(root: ElementTree.Element | None, name: str) -> str | None:
    """The text of the first element or attribute of a name; items of a list are joined."""
    for element in () if root is None else root.iter():
        if name in element.attrib:
            return element.attrib[name]
        if element.tag == name:
            items = [item.text or "" for item in element.iter(f"{RDF}li")]
            return ", ".join(items) if items else element.text or ""
    return None


def _plain(text: str) -> str:
    """Text without the characters that XML cannot hold."""
    return "".join(each for each in text if each in "\t\n\r" or (each >= " " and not "\ud800" <= each <= "\udfff"))
