"""A channel gives whole messages or says what is wrong, and never waits longer than it was told."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import pytest

from harness.wire import channel
from harness.wire.channel import (
    Channel,
    ChannelClosedError,
    ChannelGarbageError,
    ChannelStuckError,
    ChannelUnreadError,
)

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

PATIENCE_S = 60.0


@pytest.fixture
def ends() -> Iterator[tuple[Channel, socket.socket]]:
    """Return a channel and the peer's bare socket."""
    ours, theirs = Channel.pair()
    with theirs:
        yield ours, theirs
    ours.close()


def test_messages_arrive_whole_and_in_order(ends: tuple[Channel, socket.socket]) -> None:
    """Lines are put together from pieces and taken apart from lumps."""
    ours, theirs = ends
    theirs.sendall(b'{"a": 1}\n{"b": "\xc3\xa4"}\n{"c"')

    first, second = ours.receive(PATIENCE_S), ours.receive(PATIENCE_S)
    none_yet = ours.receive(0)
    theirs.sendall(b": 3}\n")
    third = ours.receive(0)

    assert (first, second, none_yet, third) == ({"a": 1}, {"b": "ä"}, None, {"c": 3})


def test_a_message_is_one_line(ends: tuple[Channel, socket.socket]) -> None:
    """Whatever a text holds, a message ends with its only line feed."""
    ours, theirs = ends

    ours.send({"text": "two\nlines \u2028 ü"})

    assert theirs.recv(1000) == b'{"text":"two\\nlines \\u2028 \\u00fc"}\n'


def test_a_long_message_arrives(ends: tuple[Channel, socket.socket]) -> None:
    """A message far longer than the socket's buffer gets through to whoever reads."""
    ours, theirs = ends
    long = {"text": "x" * 2**24}
    sender = threading.Thread(target=Channel(theirs).send, args=(long,))
    sender.start()

    received = ours.receive(PATIENCE_S)
    sender.join()

    assert received == long


@pytest.mark.parametrize("line", [b"no json\n", b"\xff\n", b"[]\n", b"\n", b"[" * 100_000 + b"\n"])
def test_what_is_no_object_is_garbage(ends: tuple[Channel, socket.socket], line: bytes) -> None:
    """No line can raise anything but ChannelGarbageError, with its beginning in the text."""
    ours, theirs = ends
    theirs.sendall(line)

    with pytest.raises(ChannelGarbageError) as error:
        ours.receive(PATIENCE_S)

    assert repr(line.rstrip(b"\n")[:80]) in str(error.value)


def test_a_line_without_an_end_is_garbage(
    ends: tuple[Channel, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line is not gathered beyond the limit."""
    ours, theirs = ends
    monkeypatch.setattr(channel, "LINE_LIMIT", 1000)
    theirs.sendall(b"x" * 1001)

    with pytest.raises(ChannelGarbageError) as error:
        ours.receive(PATIENCE_S)

    assert str(error.value) == "no end of line within 1000 bytes"


def test_without_time_only_one_look_is_taken(ends: tuple[Channel, socket.socket]) -> None:
    """A peer that always has more of a line to send cannot hold the receiver beyond its time."""
    ours, theirs = ends
    theirs.sendall(b"x" * 100_000)

    received = ours.receive(0)

    assert received is None
    assert 0 < len(ours._buffer) < 100_000


def test_a_peer_that_hangs_up_is_gone(ends: tuple[Channel, socket.socket]) -> None:
    """The last whole message arrives; half a line after it does not."""
    ours, theirs = ends
    theirs.sendall(b'{"last": 1}\n{"half')
    theirs.close()

    last = ours.receive(PATIENCE_S)
    with pytest.raises(ChannelClosedError) as error:
        ours.receive(PATIENCE_S)

    assert last == {"last": 1}
    assert not isinstance(error.value, ChannelUnreadError)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of data left unread")
def test_a_peer_that_read_not_all_is_told_apart(ends: tuple[Channel, socket.socket]) -> None:
    """Even one byte left unread shows, after all that the peer had to say."""
    ours, theirs = ends
    ours.send({"request": 1})
    theirs.recv(len(b'{"request":1}'))
    theirs.sendall(b'{"last": 1}\n')
    theirs.close()

    last = ours.receive(PATIENCE_S)
    with pytest.raises(ChannelUnreadError):
        ours.receive(PATIENCE_S)

    assert last == {"last": 1}


def test_sending_to_a_peer_that_is_gone_says_so(ends: tuple[Channel, socket.socket]) -> None:
    """Nothing was read of a message that could not be sent."""
    ours, theirs = ends
    theirs.close()

    with pytest.raises(ChannelUnreadError) as error:
        ours.send({"request": 1})

    assert isinstance(error.value, ChannelClosedError)


def test_sending_to_a_peer_that_reads_nothing_ends(ends: tuple[Channel, socket.socket]) -> None:
    """A full socket holds the sender no longer than it was told."""
    ours, _ = ends

    with pytest.raises(ChannelStuckError) as error:
        ours.send({"text": "x" * 2**24}, timeout_s=0.1)

    assert isinstance(error.value, ChannelClosedError)


def test_a_closed_channel_is_closed(ends: tuple[Channel, socket.socket]) -> None:
    """After a close from another thread, sending and receiving say so, and no more."""
    ours, _ = ends
    ours.close()

    with pytest.raises(ChannelClosedError):
        ours.send({})
    with pytest.raises(ChannelClosedError) as error:
        ours.receive(PATIENCE_S)

    assert not isinstance(error.value, ChannelStuckError)
