"""Which addresses may be fetched: every form of an inward one is refused, and says why."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.articles.destinations import (
    Destination,
    read_destination,
    read_networks,
    refusal_of,
)

REFUSED = {
    # Not the web.
    "file:///etc/passwd": "is a file address",
    "ftp://feeds.example/x": "is a ftp address",
    "gopher://feeds.example/_x": "is a gopher address",
    "data:text/xml,<rss/>": "is a data address",
    "javascript:alert(1)": "is a javascript address",
    "dict://127.0.0.1:11211/stat": "is a dict address",
    "//feeds.example/x": "is a nameless address",
    "feeds.example/x": "is a nameless address",
    "": "is a nameless address",
    # No host, or one that parsers read differently.
    "http://": "names no host",
    "http:///x": "names no host",
    "http://feeds.example\\@127.0.0.1/": "has a blank, a backslash",
    "http://feeds.example/\r\nHost: inside": "has a blank, a backslash",
    "http://feeds.example/a b": "has a blank, a backslash",
    "http://feeds.example\x00.inside/": "has a blank, a backslash",
    "http://user:word@feeds.example/": "carries a name or password",
    "http://user@feeds.example/": "carries a name or password",
    "http://@127.0.0.1/": "carries a name or password",
    "http://feeds.example@127.0.0.1/": "carries a name or password",
    "http://feeds..example/": "names a host that cannot be",
    "http://-x.example/": "names a host that cannot be",
    "http://a%2e.example/": "names a host that cannot be",
    "http://feeds.example:99999/": "is not a web address",
    "http://feeds.example:-1/": "is not a web address",
    "http://[::1/": "is not a web address",
    "http://[not::a::number]/": "is not a web address",
    # Ports of other services.
    "http://feeds.example:22/": "names port 22",
    "http://feeds.example:25/": "names port 25",
    "http://feeds.example:6379/": "names port 6379",
    "https://feeds.example:0/": "names port 0",
    # This machine and its neighbours, plainly.
    "http://127.0.0.1/": "is this machine",
    "http://127.255.255.254/": "is this machine",
    "http://0.0.0.0/": "means this machine",
    "http://10.1.2.3/": "is private",
    "http://172.16.0.1/": "is private",
    "http://172.31.255.255/": "is private",
    "http://192.168.1.1/": "is private",
    "http://169.254.169.254/latest/meta-data/": "is link-local",
    "http://100.64.0.1/": "is shared",
    "http://100.100.100.200/": "is shared",
    "http://192.0.0.192/": "is reserved",
    "http://198.18.0.1/": "is for benchmarks",
    "http://192.88.99.1/": "is a 6to4 relay",
    "http://224.0.0.1/": "is multicast",
    "http://255.255.255.255/": "is reserved",
    "http://240.0.0.1/": "is reserved",
    # The same, in disguise.
    "http://2130706433/": "in a form that hides it",
    "http://017700000001/": "in a form that hides it",
    "http://0x7f000001/": "in a form that hides it",
    "http://0x7f.0x0.0x0.0x1/": "in a form that hides it",
    "http://0177.0.0.1/": "in a form that hides it",
    "http://127.1/": "in a form that hides it",
    "http://127.0.1/": "in a form that hides it",
    "http://0/": "in a form that hides it",
    "http://127.0.0.01/": "in a form that hides it",
    "http://127.0.0.1./": "is this machine",
    "http://127.0.0.256/": "in a form that hides it",
    "http://1.2.3.4.5/": "in a form that hides it",
    "http://127。0。0。1/": "is this machine",
    "http://①②⑦.0.0.1/": "is this machine",
    "http://\uff11\uff12\uff17.0.0.1/": "is this machine",
    # IPv6, plainly and in disguise.
    "http://[::1]/": "is this machine",
    "http://[::]/": "means this machine",
    "http://[0:0:0:0:0:0:0:1]/": "is this machine",
    "http://[::ffff:127.0.0.1]/": "hides an IPv4 address",
    "http://[::ffff:7f00:1]/": "hides an IPv4 address",
    "http://[::ffff:8.8.8.8]/": "hides an IPv4 address",
    "http://[::127.0.0.1]/": "hides an IPv4 address",
    "http://[64:ff9b::7f00:1]/": "NAT64",
    "http://[64:ff9b:1::a00:1]/": "NAT64",
    "http://[2002:7f00:1::]/": "6to4",
    "http://[2001:0:7f00:1::]/": "Teredo",
    "http://[2600:1::5efe:7f00:1]/": "ISATAP",
    "http://[fc00::1]/": "is private",
    "http://[fd00:ec2::254]/": "is private",
    "http://[fe80::1]/": "is link-local",
    "http://[fe80::1%25eth0]/": "names an interface",
    "http://[fec0::1]/": "is private",
    "http://[ff02::1]/": "is multicast",
    "http://[2001:db8::1]/": "is for documentation",
    "http://[4000::1]/": "is not public",
    "https://feeds.example/" + "x" * 2_000: "characters long",
}


@pytest.mark.parametrize("url", REFUSED, ids=lambda url: repr(url[:40]))
def test_it_is_refused_and_says_why(url: str) -> None:
    found = read_destination(url)
    assert isinstance(found, str)
    assert REFUSED[url] in found


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://feeds.example", "https://feeds.example/"),
        ("HTTPS://Feeds.Example:443/a?b=c#d", "https://feeds.example/a?b=c"),
        ("http://feeds.example:8080/x", "http://feeds.example:8080/x"),
        ("http://feeds.example./x", "http://feeds.example/x"),
        ("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
        ("https://feeds.example/a%20b", "https://feeds.example/a%20b"),
        ("https://93.184.216.34/", "https://93.184.216.34/"),
        ("https://[2606:4700::1]/", "https://[2606:4700::1]/"),
        ("  https://feeds.example/x\n", "https://feeds.example/x"),
    ],
)
def test_a_public_address_is_asked_in_plain_form(url: str, asked: str) -> None:
    found = read_destination(url)
    assert isinstance(found, Destination)
    assert found.url == asked


def test_a_redirect_may_be_relative() -> None:
    found = read_destination("../b?c", base="https://feeds.example/x/y")
    assert isinstance(found, Destination)
    assert found.url == "https://feeds.example/b?c"
    away = read_destination("file:///etc/passwd", base="https://feeds.example/")
    assert away == "is a file address, not http or https"


def test_what_an_operator_opened_is_open_on_every_port_and_nothing_else() -> None:
    allowed = read_networks("127.0.0.0/8, 10.20.30.40")
    for url in ("http://127.0.0.1:6379/", "http://10.20.30.40:81/"):
        assert isinstance(read_destination(url, allowed=allowed), Destination)
    for url in ("http://10.20.30.41/", "http://169.254.169.254/", "http://[::1]/"):
        assert isinstance(read_destination(url, allowed=allowed), str)
    assert refusal_of("93.184.216.34", port=22, allowed=allowed)


@given(st.ip_addresses(v=4))
def test_no_inward_number_is_public(number: IPv4Address) -> None:
    if number.is_private or number.is_multicast or number.is_reserved or number.is_loopback:
        assert refusal_of(str(number))
        assert refusal_of(f"::ffff:{number}")
        assert isinstance(read_destination(f"http://{int(number)}/"), str)


@given(st.ip_addresses(v=6))
def test_no_inward_ipv6_number_is_public(number: IPv6Address) -> None:
    is_inward = number.is_private or number.is_multicast or number.is_link_local
    if is_inward or number.ipv4_mapped or number.sixtofour or number.teredo:
        assert refusal_of(str(number))


@given(st.text(max_size=60))
def test_nothing_raises_and_nothing_inward_passes(text: str) -> None:
    for url in (text, f"http://{text}", f"http://{text}/", f"https://feeds.example/{text}"):
        found = read_destination(url)
        if isinstance(found, Destination):
            assert found.url.isascii()
            again = read_destination(found.url)
            assert isinstance(again, Destination)
            assert again.url == found.url
