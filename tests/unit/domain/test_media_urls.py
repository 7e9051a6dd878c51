"""URLs of pictures: our own, those on other hosts, and ambiguous ones."""

import re
from urllib.parse import urldefrag, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profile_media.domain.errors import ReferenceInvalid
from profile_media.domain.formats import ContentType
from profile_media.domain.keys import incoming_key, media_key
from profile_media.domain.references import MAX_URL_LENGTH, ExternalUrl, Reference, parse_media_url
from tests.builders import ADA, a_derivative, an_id

BASE = "https://media.example.com"
LOOPBACK = "http://127.0.0.1:4001"
KEY = media_key(an_id(1), a_derivative())
GOOD = f"{BASE}/{KEY}"
HOST = "media.example.com"
EVIL = "https://evil.example"

FOREIGN_AUTHORITIES = {
    "userinfo": f"https://{HOST}@evil.example/{KEY}",
    "userinfo and a password": f"https://{HOST}:443@evil.example/{KEY}",
    "userinfo before ours": f"https://evil@{HOST}/{KEY}",
    "empty userinfo": f"https://@{HOST}/{KEY}",
    "a colon as userinfo": f"https://:@{HOST}/{KEY}",
    "encoded userinfo": f"https://{HOST}%40evil.example/{KEY}",
    "a backslash before userinfo": f"{EVIL}\\@{HOST}/{KEY}",
    "a backslash before our host": f"{EVIL}\\{HOST}/{KEY}",
    "a backslash after our host": f"{BASE}\\.evil.example/{KEY}",
    "backslashes for slashes": f"https:\\\\{HOST}\\{KEY}",
    "a query for userinfo": f"{EVIL}?@{HOST}/{KEY}",
    "a fragment for userinfo": f"{EVIL}#@{HOST}/{KEY}",
    "a semicolon for userinfo": f"{EVIL};@{HOST}/{KEY}",
    "an encoded slash in the host": f"{EVIL}%2f{HOST}/{KEY}",
    "a port": f"https://{HOST}:8443/{KEY}",
    "the scheme's own port": f"https://{HOST}:443/{KEY}",
    "an empty port": f"https://{HOST}:/{KEY}",
    "an empty port elsewhere": f"{EVIL}:/a.png",
    "an impossible port": f"{EVIL}:65536/a.png",
    "port 0": f"{EVIL}:0/a.png",
    "a port with a leading zero": f"{EVIL}:0443/a.png",
    "a port of six digits": f"{EVIL}:100000/a.png",
    "a port with a sign": f"{EVIL}:+443/a.png",
    "a port and userinfo": f"{EVIL}:443@{HOST}/a.png",
    "two ports": f"{EVIL}:443:443/a.png",
    "a port of a trailing dot": f"{EVIL}.:443/a.png",
    "a trailing dot": f"https://{HOST}./{KEY}",
    "a leading dot": f"https://.{HOST}/{KEY}",
    "two dots": f"https://media..example.com/{KEY}",
    "an upper-case host": f"https://MEDIA.example.com/{KEY}",
    "an encoded dot in the host": f"https://media%2eexample.com/{KEY}",
    "a fullwidth dot": f"https://media\uff0eexample.com/{KEY}",
    "an ideographic dot": f"https://media\u3002example.com/{KEY}",
    "a homograph": f"https://m\u0435dia.example.com/{KEY}",
    "a homograph in punycode": f"https://xn--mdia-f4d.example.com/{KEY}",
    "punycode at the end": "https://media.xn--p1ai/a.png",
    "a letter that folds to ours": f"https://media.e\u017fample.com/{KEY}",
    "a soft hyphen": f"https://media.exam\u00adple.com/{KEY}",
    "a zero-width space": f"https://media.exam\u200bple.com/{KEY}",
    "fullwidth digits": "https://\uff11\uff12\uff17.0.0.1/a.png",
    "an underscore": f"https://media_.example.com/{KEY}",
    "a hyphen first": "https://-media.example.com/a.png",
    "a hyphen last": "https://media-.example.com/a.png",
    "a label of 64": f"https://{'a' * 64}.example/a.png",
    "a name of 254": f"https://{'.'.join(['a' * 49] * 5)}.abcd/a.png",
    "one label": "https://localhost/a.png",
    "IPv4": "https://127.0.0.1/a.png",
    "the metadata service": "https://169.254.169.254/latest/meta-data/",
    "IPv4 as one number": "https://2130706433/a.png",
    "IPv4 in hex": "https://0x7f000001/a.png",
    "IPv4 in hex, in parts": "https://0x7f.0x0.0x0.0x1/a.png",
    "IPv4 in octal": "https://0177.0.0.1/a.png",
    "IPv4, shortened": "https://127.1/a.png",
    "IPv6": "https://[::1]/a.png",
    "IPv4 in IPv6": "https://[::ffff:127.0.0.1]/a.png",
    "IPv6 with a zone": "https://[fe80::1%25eth0]/a.png",
    "no host": "https:///a.png",
}

SCHEMES = {
    "http": f"http://{HOST}/{KEY}",
    "http elsewhere": "http://example.com",
    "an upper-case scheme": f"HTTPS://{HOST}/{KEY}",
    "no scheme": f"{HOST}/{KEY}",
    "scheme-relative": f"//{HOST}/{KEY}",
    "a path": f"/{KEY}",
    "only the key": KEY,
    "one slash": f"https:/{HOST}/{KEY}",
    "no slashes": f"https:{HOST}/{KEY}",
    "three slashes": f"https:///{HOST}/{KEY}",
    "a scheme within": f"view-source:{GOOD}",
    "twice": f"https://{GOOD}",
    "javascript": "javascript:alert(1)//https://media.example.com/",
    "javascript with a host": "javascript://media.example.com/%0aalert(1)",
    "data": "data:image/png;base64,iVBORw0KGgo=",
    "blob": f"blob:{GOOD}",
    "file": "file:///etc/passwd",
    "ftp": f"ftp://{HOST}/{KEY}",
    "wss": f"wss://{HOST}/{KEY}",
    "s3": f"s3://media/{KEY}",
    "gopher": "gopher://127.0.0.1:6379/_x",
}

STRAY_CHARACTERS = {
    "nothing": "",
    "a space": " ",
    "a space before": f" {GOOD}",
    "a space after": f"{GOOD} ",
    "a space inside": GOOD.replace("media/", "media/ ", 1),
    "a tab before": f"\t{GOOD}",
    "a tab in the scheme": GOOD.replace("https", "ht\ttps"),
    "a tab in the host": GOOD.replace("example", "exam\tple"),
    "a tab after the slashes": GOOD.replace("//", "//\t"),
    "a line end before": f"\n{GOOD}",
    "a line end after": f"{GOOD}\n",
    "a line end in the host": GOOD.replace("example", "exam\nple"),
    "a carriage return": f"{GOOD}\r",
    "a header within": f"{GOOD}\r\nX-Injected: yes",
    "a null": f"{GOOD}\0",
    "a null in the host": f"{EVIL}\0.{HOST}/{KEY}",
    "a control character": f"\x01{GOOD}",
    "delete": f"{GOOD}\x7f",
    "a byte order mark": f"\ufeff{GOOD}",
    "a right-to-left override": f"{GOOD}\u202egnp",
    "a line separator": f"{GOOD}\u2028",
    "a no-break space": f"{GOOD}\u00a0",
    "a letter that is not ASCII": f"{EVIL}/b\u00fccher.png",
    "half a character": f"{EVIL}/\ud800",
    "a quote": f'{EVIL}/a.png"onerror=',
    "an apostrophe": f"{EVIL}/a.png'",
    "a bracket that closes nothing": f"{EVIL}/a.png)",
    "a bracket that is not closed": f"{EVIL}/(a.png",
    "brackets in the wrong order": f"{EVIL}/a)b(.png",
    "nested brackets": f"{EVIL}/((a)).png",
    "brackets over segments": f"{EVIL}/(a/b).png",
    "a square bracket": f"{EVIL}/a.png?a[]=1",
    "a tag": f"{EVIL}/<script>",
    "a brace": f"{EVIL}/{{a}}.png",
    "a backtick": f"{EVIL}/`a`.png",
    "a caret": f"{EVIL}/a^b.png",
    "a bar": f"{EVIL}/a|b.png",
    "the end of a url() and another declaration": f"{EVIL}/a();position:fixed",
    "a semicolon before brackets": f"{EVIL}/a;b(1).png",
    "a character reference": f"{EVIL}/a.png?a&apos;b",
    "a character reference in a path": f"{EVIL}/&quot;a.png",
    "two fragments": f"{EVIL}/a.png#a#b",
    "a fragment with an encoded line end": f"{EVIL}/a.png#%0a",
    "a fragment with a quote": f'{EVIL}/a.png#"',
    "a backslash in the path": f"{EVIL}/a\\b.png",
}

PATHS = {
    "our host alone": BASE,
    "our host and a slash": f"{BASE}/",
    "our host and a query": f"{BASE}?{KEY}",
    "an upload of nobody's form": f"{BASE}/media/1/full-{'0' * 32}.webp",
    "an incoming object": f"{BASE}/{incoming_key(ADA, an_id(1))}",
    "another prefix": GOOD.replace("/media/", "/Media/"),
    "a name of no derivative's form": GOOD.replace("/full-", "/FULL-"),
    "no derivative": f"{BASE}/media/{an_id(1)}/",
    "no digest": re.sub(r"-[0-9a-f]{32}\.", ".", GOOD),
    "a short digest": re.sub(r"[0-9a-f]\.webp", ".webp", GOOD),
    "an upper-case digest": re.sub(r"[0-9a-f]{32}", lambda match: match[0].upper(), GOOD),
    "an upper-case id": GOOD.replace(an_id(1), an_id(0xABCDEF12).upper()),
    "another ending": GOOD.replace(".webp", ".svg"),
    "no ending": GOOD.removesuffix(".webp"),
    "two endings": f"{GOOD}.webp",
    "a slash more": f"{GOOD}/",
    "a double slash": GOOD.replace("/media/", "//media/"),
    "a double slash within": GOOD.replace("/full", "//full"),
    "a dot segment": GOOD.replace("/media/", "/./media/"),
    "a parent segment": GOOD.replace("/media/", "/x/../media/"),
    "parents to the root": f"{GOOD}/../../../incoming/x",
    "an encoded parent": GOOD.replace("/media/", "/x/%2e%2e/media/"),
    "an encoded parent, upper case": GOOD.replace("/media/", "/x/%2E%2E/media/"),
    "half an encoded parent": GOOD.replace("/media/", "/x/.%2e/media/"),
    "an encoded slash": GOOD.replace("/full", "%2ffull"),
    "an encoded slash, upper case": GOOD.replace("/full", "%2Ffull"),
    "an encoded letter": GOOD.replace("/media/", "/%6dedia/"),
    "doubly encoded": GOOD.replace("/media/", "/x/%252e%252e/media/"),
    "an encoded null": f"{GOOD}%00",
    "an encoded null before the ending": GOOD.replace(".webp", "%00.webp"),
    "an encoded line end": f"{GOOD}%0d%0a",
    "a parameter": f"{GOOD};x",
    "a query": f"{GOOD}?v=2",
    "an empty query": f"{GOOD}?",
    "a fragment": f"{GOOD}#x",
    "an empty fragment": f"{GOOD}#",
    "a parent elsewhere": f"{EVIL}/a/../b.png",
    "a parent last": f"{EVIL}/a/..",
    "a parent before a query": f"{EVIL}/..?a",
    "an encoded parent elsewhere": f"{EVIL}/%2e%2e/b.png",
    "a double slash elsewhere": f"{EVIL}//a.png",
    "an encoded parent between encoded slashes": f"{EVIL}/a%2F..%2Fb.png",
    "a parent after an encoded slash": f"{EVIL}/a%2f../b.png",
    "a parent before an encoded slash": f"{EVIL}/..%2Fb.png",
    "a parent last after an encoded slash": f"{EVIL}/a%2F..",
    "a dot after an encoded slash": f"{EVIL}/a%2F.?b",
    "a parent with a parameter": f"{EVIL}/..;/b.png",
    "a fragment and no path": f"{EVIL}#a",
    "a port and a query but no path": f"{EVIL}:8443?a",
    "an encoded backslash elsewhere": f"{EVIL}/a%5Cb.png",
    "an encoded per cent elsewhere": f"{EVIL}/a%252e.png",
    "an encoded control elsewhere": f"{EVIL}/a%0ab.png",
    "an encoded control in a query": f"{EVIL}/a.png?b=%0d%0aX:1",
    "an encoded delete elsewhere": f"{EVIL}/a%7f.png",
    "an overlong dot": f"{EVIL}/%c0%ae%c0%ae/a.png",
    "half an escape": f"{EVIL}/a%2",
    "an escape of no digits": f"{EVIL}/a%zz",
    "a query and no path": f"{EVIL}?a",
    "too long": f"{EVIL}/{'a' * (MAX_URL_LENGTH - len(EVIL))}",
}

HOSTILE = {
    f"{kind}: {name}": url
    for kind, table in (
        ("authority", FOREIGN_AUTHORITIES),
        ("scheme", SCHEMES),
        ("character", STRAY_CHARACTERS),
        ("path", PATHS),
    )
    for name, url in table.items()
}

FIREBASE = "https://firebasestorage.googleapis.com/v0/b/app.appspot.com/o/avatars%2Fada%2Fme.jpg?alt=media&token=5c1"

ELSEWHERE = [
    FIREBASE,
    FIREBASE.replace("%2F", "%2f"),
    "https://example.com:8443",
    "https://pictures.example.org:65535/a.png",
    "https://pictures.example.org:1/a.png?size=1",
    "https://media.example.com.evil.example:443/a.png",
    "https://upload.wikimedia.org/wikipedia/commons/d/d5/Ada_Lovelace_(1815-1852).jpg",
    "https://images.example.org/my()picture(2).png?crop=(0,0)",
    "https://images.example.org/a.png;v=2;w=100?x;y",
    "https://images.example.org/a%2F..b/c.png",
    "https://example.com",
    "https://example.com/",
    "https://cdn.bio.re/avatars/user/uuid.webp",
    "https://avatars.githubusercontent.com/u/583231?v=4",
    "https://lh3.googleusercontent.com/a/ACg8ocK=s96-c",
    "https://www.gravatar.com/avatar/205e460b479e2e5b48aec07710c08d50?s=200&d=https%3A%2F%2Fexample.com%2Fa.png",
    "https://images.example.org/a@2x.png",
    "https://images.example.org/b%C3%BCcher/my%20picture.png",
    "https://images.example.org/..a/.well-known/a..png",
    "https://images.example.org/a/?/../",
    "https://media.example.com.evil.example/a.png",
    "https://amedia.example.com/a.png",
    f"https://evil.example/{HOST}/{KEY}",
    f"https://{'.'.join(['a' * 49] * 5)}.abc/a.png",
    f"{EVIL}/{'a' * (MAX_URL_LENGTH - len(EVIL) - 1)}",
]


def test_own_urls_round_trip() -> None:
    for base in (BASE, f"{BASE}/", LOOPBACK, "https://www.example.com/pictures"):
        for kind in ContentType:
            key = media_key(an_id(1), a_derivative(content_type=kind))
            reference = parse_media_url(base, ADA, f"{base.rstrip('/')}/{key}")
            assert reference == Reference(ADA, an_id(1), media_key=key)


@pytest.mark.parametrize("url", ELSEWHERE)
def test_url_on_another_host_is_kept_as_it_is(url: str) -> None:
    host = urlsplit(url).hostname
    assert host
    assert parse_media_url(BASE, ADA, url) == ExternalUrl(url, host)


@pytest.mark.parametrize("fragment", ["#", "#a", "#a/b?c=(d)&e%2F", "#@media.example.com/"])
def test_fragment_is_dropped(fragment: str) -> None:
    for url in ("https://images.example.org/", "https://images.example.org:8443/a.png?b"):
        assert parse_media_url(BASE, ADA, url + fragment) == ExternalUrl(url, "images.example.org")


@pytest.mark.parametrize("name", HOSTILE)
def test_ambiguous_url_is_refused(name: str) -> None:
    with pytest.raises(ReferenceInvalid):
        parse_media_url(BASE, ADA, HOSTILE[name])


@pytest.mark.parametrize(
    "url",
    [
        f"http://127.0.0.1/{KEY}",
        f"http://127.0.0.1:4002/{KEY}",
        f"https://127.0.0.1:4001/{KEY}",
        f"http://localhost:4001/{KEY}",
        f"http://127.0.0.1:40011/{KEY}",
        f"http://127.0.0.1:4001@evil.example/{KEY}",
        f"http://127x0x0x1:4001/{KEY}",
    ],
)
def test_plain_http_is_accepted_for_the_local_stacks_media_only(url: str) -> None:
    with pytest.raises(ReferenceInvalid):
        parse_media_url(LOOPBACK, ADA, url)


@pytest.mark.parametrize("base", ["https://www.example.com/pictures", "https://www.example.com:8443"])
def test_other_paths_and_ports_of_our_host_are_refused(base: str) -> None:
    with pytest.raises(ReferenceInvalid):
        parse_media_url(base, ADA, "https://www.example.com/elsewhere.png")


_PIECES = [
    *("https", "http", ":", "/", "//", "\\", "@", "?", "#", ";", "(", ")", "&", ".", "..", "%2e", "%2f", "%00", "%25"),
    *(":443", "\t", "\n", " ", "[", "]", "xn--", "\u3002", "A", "a", "-", "_", HOST, "evil.example", KEY, "media/"),
    *(BASE, GOOD),
]


@given(st.lists(st.sampled_from(_PIECES), max_size=12).map("".join) | st.text())
def test_accepted_url_has_the_same_host_for_every_parser(text: str) -> None:
    try:
        reference = parse_media_url(BASE, ADA, text)
    except ReferenceInvalid:
        return
    assert text.isascii()
    split = urlsplit(text)
    assert (split.scheme, split.username, split.password) == ("https", None, None)
    assert split.port != 0
    if isinstance(reference, Reference):
        assert text == f"{BASE}/{reference.media_key}"
    else:
        assert split.netloc == reference.host + (f":{split.port}" if split.port else "")
        assert reference == ExternalUrl(urldefrag(text).url, split.hostname or "")
        assert split.hostname != HOST
