"""Which IP addresses belong to the public internet, and which to some machine's own network."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

_NAT64 = IPv6Network("64:ff9b::/96")
"""The IPv4 address of a host in the last 32 bits, for networks that speak only IPv6 (RFC 6052)."""

_UNICAST = IPv6Network("2000::/3")
"""All that was ever given out; outside are loopback, link-local, private, multicast and old embedded addresses."""

_NOT_PUBLIC = tuple(
    map(
        ip_network,
        (
            # What `is_global` lets pass in one version of Python or another, or means otherwise.
            "168.63.129.16/32",  # Azure's services inside each virtual machine
            "192.0.0.0/24",  # protocol assignments; in it, Oracle's metadata service
            "192.88.99.0/24",  # relays of 6to4
            "224.0.0.0/4",  # multicast
            "2001::/23",  # protocol assignments; in it, Teredo, which embeds IPv4 addresses
            "2002::/16",  # 6to4, which embeds IPv4 addresses
            "3fff::/20",  # documentation
        ),
    )
)


def is_public(address: str) -> bool:
    """
    Say whether *address* can only mean a host on the public internet; what is no address is not public.

    An IPv6 address that stands for an IPv4 one, as networks make them today, is judged by that.

    Sources: https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry;
    https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16.
    """
    try:
        value = ip_address(address)
    except ValueError:
        return False
    if isinstance(value, IPv6Address):
        if value.scope_id is not None:
            return False
        value = _embedded(value) or value
    if isinstance(value, IPv6Address) and value not in _UNICAST:
        return False
    return value.is_global and not any(value in network for network in _NOT_PUBLIC)


def _embedded(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped
