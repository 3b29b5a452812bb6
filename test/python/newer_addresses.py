"""
Fail2ban before 1.1 found `::` but not `:` in front of an IPv6 address, and failed at ids with a slash that is in front of no
mask. Here both are read as since 1.1, so that an older program can be compared; it is imported before all else of it.
"""
import re

from fail2ban.server.ipdns import IPAddr


def split_mask(text):
    if len(text) > 2 and text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    found = masked.match(text)
    if found is None:
        return text, IPAddr.CIDR_UNSPEC
    address, length, mask = found.groups()
    return address, int(length) if mask is None else IPAddr.masktoplen(mask)


if not hasattr(IPAddr, "IP_W_CIDR_CRE"):
    IPAddr.IP_6_RE = IPAddr.IP_6_RE.replace("|::)", "|:)")
    address = "%s|%s" % (IPAddr.IP_4_RE, IPAddr.IP_6_RE)
    masked = re.compile(r"^(%s)/(?:(\d+)|(%s))$" % (address, address))
    IPAddr._IPAddr__wrap_ipstr = staticmethod(split_mask)
