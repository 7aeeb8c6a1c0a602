"""The node's own transaction at the head of a block, where a validator's vote stands.

A chain of one node has no tower to vote on; the mark is nevertheless a real call of the vote program, executed and paid for by the node.
Clients see what they see of any validator: position 0 is not theirs.
"""

import struct

from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.message import Message
from solders.transaction import VersionedTransaction

from xorj.localnet.genesis import VOTE_PROGRAM
from xorj.localnet.keys import NODE, VOTE_ACCOUNT

_UPDATE_VALIDATOR_IDENTITY = struct.pack("<I", 4)
_MARK = Instruction(
    VOTE_PROGRAM,
    _UPDATE_VALIDATOR_IDENTITY,
    [
        AccountMeta(VOTE_ACCOUNT.pubkey(), is_signer=False, is_writable=True),
        AccountMeta(NODE.pubkey(), is_signer=True, is_writable=False),
        AccountMeta(NODE.pubkey(), is_signer=True, is_writable=False),
    ],
)


def node_mark(blockhash: Hash) -> VersionedTransaction:
    """The mark of the block that builds on `blockhash`; no two blocks have the same."""
    return VersionedTransaction(Message.new_with_blockhash([_MARK], NODE.pubkey(), blockhash), [NODE])
