"""Peers that nobody may be relayed to, in each spelling that slipped through some relay's filter before."""

FORBIDDEN = [
    "127.0.0.1",
    "127.1.2.3",
    "0.0.0.0",  # CVE-2020-26262
    "::",  # CVE-2020-26262
    "::1",  # CVE-2020-26262
    "::ffff:127.0.0.1",  # CVE-2026-27624
    "::ffff:0.0.0.0",  # CVE-2026-27624
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",  # IPv4-compatible
    "64:ff9b::127.0.0.1",  # NAT64
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::10.0.0.1",
    "2002:7f00:1::",  # 6to4 of 127.0.0.1
    "2002:a00:1::1",  # 6to4 of 10.0.0.1
    "2001:0:a00:1::1",  # Teredo, server 10.0.0.1
    "2001::80ff:fffe",  # Teredo, client 127.0.0.1 (its bits are inverted)
    "10.0.0.1",
    "100.64.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "169.254.169.254",
    "fd00:ec2::254",  # metadata services of clouds, as the one before
    "8.8.8.8",
    "224.0.0.1",
    "255.255.255.255",
    "fc00::1",
    "fe80::1",
    "ff02::1",
    "2600::1",
]
