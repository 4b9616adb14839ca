"""All who take part, by name, in the order of the table."""

from __future__ import annotations

from eval.peers.libraries import LIBRARIES
from eval.peers.ours import OURS
from eval.peers.peer import Peer
from eval.peers.words import WORDS

__all__ = ["PEERS"]

PEERS: dict[str, Peer] = {peer.name: peer for peer in (*WORDS, *LIBRARIES, *OURS)}
"""Peers by name."""
