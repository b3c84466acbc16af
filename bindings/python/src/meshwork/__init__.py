"""meshwork for Python: providers and consumers of messages on asyncio.

    async with meshwork.Context() as ctx, ctx.provider(port=8080) as provider:
        provider.on("message", lambda m: m.peer.send(m.data))
        await provider.wait_closed()
"""

from ._calls import Answer, Broadcast, Call
from ._dispatch import Operation
from ._errors import Error
from ._event import Ask, Event, Flags, Message, Request
from ._host import Channel, Election, Hub, Member, Share
from ._link import Connection, Consumer, Context, Provider, Subscription
from ._mesh import Manager, Node
from ._service import Service
from ._tables import (
    CallOptions, ChannelOptions, Code, ConsumerOptions, ContextOptions, ElectionOptions, HubOptions, ManagerOptions, NodeOptions,
    ProviderOptions, ServiceOptions, ShareOptions, SubscriptionOptions,
)  # fmt: skip

__all__ = [
    "Answer", "Ask", "Broadcast", "Call", "CallOptions", "Channel", "ChannelOptions", "Code", "Connection", "Consumer", "ConsumerOptions", "Context",
    "ContextOptions", "Election", "ElectionOptions", "Error", "Event", "Flags", "Hub", "HubOptions", "Manager", "ManagerOptions", "Member", "Message", "Node", "NodeOptions",
    "Operation", "Provider",
    "ProviderOptions", "Request", "Service", "ServiceOptions", "Share", "ShareOptions", "Subscription",
    "SubscriptionOptions", "library_version",
]  # fmt: skip
__version__ = "0.1.0"


def library_version() -> str:
    """Version of the shared library in use."""
    from . import _boundary

    number = _boundary.version()
    return f"{number >> 16}.{number >> 8 & 255}.{number & 255}"
