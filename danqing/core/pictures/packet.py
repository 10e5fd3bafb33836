"""XMP packets: the recipe and what people say of a picture, in any spelling that XML allows; needs no torch.

Source: ISO 16684-1 (XMP), 7 (serialisation); Dublin Core terms; IPTC Photo Metadata Standard.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree
from xml.sax.saxutils import escape

RECIPE = "{urn:danqing:recipe}recipe"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
TIFF_ORIENTATION = "{http://ns.adobe.com/tiff/1.0/}Orientation"
SPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
}
TERMS = {  # by PNG's keywords: what people say of a picture, and the kind of its list
    "Title": ("dc", "title", "Alt"), "Author": ("dc", "creator", "Seq"), "Description": ("dc", "description", "Alt"),
    "Copyright": ("dc", "rights", "Alt"), "Keywords": ("dc", "subject", "Bag"), "Rating": ("xmp", "Rating", ""),
    "Comment": ("exif", "UserComment", "Alt"), "Label": ("xmp", "Label", ""),
    "People": ("Iptc4xmpExt", "PersonInImage", "Bag"), "Usage Terms": ("xmpRights", "UsageTerms", "Alt"),
    "Headline": ("photoshop", "Headline", ""), "Credit": ("photoshop", "Credit", ""),
    "Instructions": ("photoshop", "Instructions", ""), "City": ("photoshop", "City", ""),
    "State": ("photoshop", "State", ""), "Country": ("photoshop", "Country", ""),
}  # fmt: skip
LISTS = frozenset(keyword for keyword, (_, _, group) in TERMS.items() if group == "Bag")
PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
    ' xmlns:danqing="urn:danqing:recipe"{}>{}</rdf:Description></rdf:RDF>'
    '</x:xmpmeta><?xpacket end="w"?>'
)


def write(recipe: str | None, texts: dict[str, str]) -> bytes:
    """A packet with a recipe's JSON and texts by PNG's keywords, as far as XMP has a place for them."""
    inner = "" if recipe is None else f"<danqing:recipe>{escape(recipe)}</danqing:recipe>"
    used = {"dc": None}
    for keyword, (space, term, group) in TERMS.items():
        if has_place(keyword, texts.get(keyword, "")):
            used[space] = None
            inner += f"<{space}:{term}>{_written(texts[keyword], group)}</{space}:{term}>"
    spaces = "".join(f' xmlns:{space}="{SPACES[space]}"' for space in used)
    return PACKET.format(spaces, inner).encode() if inner else b""


def has_place(keyword: str, text: str) -> bool:
    """Whether a text can stand in a packet; a rating there is a number."""
    return keyword in TERMS and bool(text) and (keyword != "Rating" or _is_rating(text))


def joined(items: Sequence[str]) -> str:
    """The items of a list as one text, which :func:`parted` takes apart."""
    if not any("," in each for each in items):
        return ", ".join(items)
    return "; ".join(items) + (";" if len(items) == 1 else "")


def parted(text: str) -> list[str]:
    """The items of a list in one text, between semicolons if it has any, else between commas."""
    parts = text.split(";" if ";" in text else ",")
    return [part.strip() for part in parts if part.strip()]


def recipe_text(packet: bytes) -> str | None:
    """The recipe's JSON in a packet, as an element or as an attribute, whatever its prefix."""
    return _value(_parse(packet), RECIPE)


def texts_of(packet: bytes) -> dict[str, str]:
    """What a packet says of its picture, by PNG's keywords: of several languages the default, else the first."""
    said: dict[str, str] = {}
    for about in _descriptions(_parse(packet)):
        for keyword, (space, term, _) in TERMS.items():
            name = f"{{{SPACES[space]}}}{term}"
            element = about.find(name)
            text = about.attrib.get(name, "") if element is None else _text(element)
            if text:
                said.setdefault(keyword, text)
    return said


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


def _descriptions(root: ElementTree.Element | None) -> list[ElementTree.Element]:
    """What is said of the picture itself, not of others that it was made from."""
    return [] if root is None else [each for rdf in root.iter(f"{RDF}RDF") for each in rdf]


def _value(root: ElementTree.Element | None, name: str) -> str | None:
    """The text of the first element or attribute of a name."""
    for element in () if root is None else root.iter():
        if name in element.attrib:
            return element.attrib[name]
        if element.tag == name:
            return _text(element)
    return None


def _text(element: ElementTree.Element) -> str:
    """The text of an element: of alternatives the default, else the first; other lists are joined."""
    items = [("".join(item.itertext()), item.get(LANGUAGE)) for item in element.findall(f"*/{RDF}li")]
    if not items:
        return "".join(element.itertext()) if len(element) else element.text or ""
    if element.find(f"{RDF}Alt") is not None:
        return next((text for text, language in items if language == "x-default"), items[0][0])
    texts = [text for text, _ in items if text]
    return joined(texts) if element.find(f"{RDF}Bag") is not None else ", ".join(texts)


def _written(text: str, group: str) -> str:
    if not group:
        return escape(_plain(text))
    language = ' xml:lang="x-default"' if group == "Alt" else ""
    items = parted(text) if group == "Bag" else [text]
    return (
        f"<rdf:{group}>{''.join(f'<rdf:li{language}>{escape(_plain(each))}</rdf:li>' for each in items)}</rdf:{group}>"
    )


def _is_rating(text: str) -> bool:
    """Whether a text is a number of stars, -1 for rejected."""
    try:
        return -1 <= float(text) <= 5
    except ValueError:
        return False


def _plain(text: str) -> str:
    """Text without the characters that XML cannot hold."""
    return "".join(each for each in text if each in "\t\n\r" or (each >= " " and not "\ud800" <= each <= "\udfff"))
