"""Which addresses are public."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber.types.addresses import is_public

INTERNAL = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
]
INTERNAL_6 = [
    "::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
]
EMBEDDINGS = ["::ffff:0:0", "64:ff9b::"]


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "93.184.216.34",
        "168.63.129.15",
        "2606:4700::1111",
        "2a00:1450:4001::1",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
    ],
)
def test_hosts_of_the_internet_are_public(address: str) -> None:
    """Also where a network that speaks only IPv6 translates them."""
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "169.254.169.254",  # metadata of AWS, Azure, Google and others
        "100.100.100.200",  # metadata of Alibaba
        "192.0.0.192",  # metadata of Oracle
        "168.63.129.16",
        "fd00:ec2::254",  # metadata of AWS
        "::1",
        "::",
        "::127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "fe80::1%eth0",
        "2606:4700::1111%1",
    ],
)
def test_what_a_stranger_would_like_to_reach_is_not_public(address: str) -> None:
    """Loopback and metadata services, in every spelling."""
    assert not is_public(address)


@pytest.mark.parametrize(
    "text", ["", "localhost", "127.1", "0x7f000001", "2130706433", "010.8.8.8", "8.8.8.8 ", "[::1]"]
)
def test_what_is_no_address_is_not_public(text: str) -> None:
    """Only the plain spelling is read: others mean different things to different systems."""
    assert not is_public(text)


@given(st.sampled_from(INTERNAL).flatmap(lambda network: st.ip_addresses(network=IPv4Network(network))))
def test_no_internal_address_is_public_in_any_form(address: IPv4Address) -> None:
    """Neither as it is nor inside an IPv6 address."""
    forms = [str(address), *(str(IPv6Address(int(IPv6Address(prefix)) + int(address))) for prefix in EMBEDDINGS)]

    assert [form for form in forms if is_public(form)] == []


@given(st.sampled_from(INTERNAL_6).flatmap(lambda network: st.ip_addresses(network=IPv6Network(network))))
def test_no_special_network_is_public(address: IPv6Address) -> None:
    """Not a single address in it."""
    assert not is_public(str(address))


@given(st.ip_addresses(v=4))
def test_an_embedded_address_is_judged_as_the_plain_one(address: IPv4Address) -> None:
    """In both forms that are in use."""
    plain = is_public(str(address))

    for prefix in EMBEDDINGS:
        assert is_public(str(IPv6Address(int(IPv6Address(prefix)) + int(address)))) == plain
