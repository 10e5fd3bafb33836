"""What a file is that danqing does not read, by its first bytes, and what to do about it."""

from __future__ import annotations

EXPORT = "Save it as a JPEG, PNG or TIFF"
FILM = "Take out the pictures that you mean; danqing style_film paints whole films"
OTHERS = {  # by first bytes: what a file is that danqing does not read, and what to do
    b"%PDF": ("a PDF document", "Export its page as a PNG or TIFF"),
    b"%!PS": ("a PostScript drawing", "Export it as a PNG or TIFF"),
    b"8BPS": ("a Photoshop document", "Export it as a PNG or TIFF"),
    b"gimp xcf": ("a GIMP document", "Export it as a PNG or TIFF"),
    b"\xff\x0a": ("a JPEG XL picture", EXPORT),
    b"\0\0\0\x0cJXL ": ("a JPEG XL picture", EXPORT),
    b"\0\0\0\x0cjP  ": ("a JPEG 2000 picture", EXPORT),
    b"\xff\x4f\xff\x51": ("a JPEG 2000 picture", EXPORT),
    b"\0\0\x01\0": ("an icon", "Save it as a PNG"),
    b"v/1\x01": ("an OpenEXR picture", "Save it as a TIFF with numbers in 0…1"),
    b"#?RADIANCE": ("a Radiance picture", "Save it as a TIFF with numbers in 0…1"),
    b"FUJIFILMCCD-RAW": ("a camera's raw file", "Develop it into a TIFF or JPEG first"),
    b"IIRO": ("a camera's raw file", "Develop it into a TIFF or JPEG first"),
    b"IIU\0": ("a camera's raw file", "Develop it into a TIFF or JPEG first"),
    b"DDS ": ("a texture (DDS)", "Save it as a PNG"),
    b"\x1a\x45\xdf\xa3": ("a film", FILM),
    b"PK\x03\x04": ("a zip", "Take out the pictures that you mean"),
    b"\x1f\x8b": ("a packed file (gzip)", "Unpack it first"),
}


def guess(head: bytes, formats: tuple[str, ...]) -> tuple[str, str]:
    """What a file is instead, and what to do about it."""
    known = next((told for first, told in OTHERS.items() if head.startswith(first)), None)
    if known:
        return known
    if head[4:8] == b"ftyp":  # the box that opens HEIC photographs and MP4 films
        brand = head[8:12].decode("ascii", "replace").strip()
        if brand[:2] in ("he", "mi", "ms"):
            return f"{brand}: a HEIC photograph", f"{EXPORT}; phones can be set to take JPEG (most compatible)"
        return f"{brand}: a film", FILM
    if head[:4] in (b"II*\0", b"MM\0*"):
        return "a camera's raw file", "Develop it into a TIFF or JPEG first"
    if b"<svg" in head:
        return "an SVG drawing", "Export it as a PNG, as large as you need it"
    is_text = all(byte >= 32 or byte in b"\t\n\r\f" for byte in head[:64])
    return "text" if is_text else "of an unknown format", f"danqing reads {', '.join(formats)}"
