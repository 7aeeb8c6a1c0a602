"""A follower's order to copy whoever leads the ranking, and what a ranking makes of it. Used by follow_ranking; pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from xorj.copying.follow import Caps, Follow, FollowMode
from xorj.primitives.ids import Address, UserId, Wallet


@dataclass(frozen=True, slots=True)
class Ranked:
    """An eligible wallet of a scoring run; rank 1 is the best."""

    rank: int
    wallet: Wallet


@dataclass(frozen=True, slots=True)
class Subscription:
    """`follows` are its open ones; `held` are leaders for whom the vault holds a position or has an open intent."""

    id: str
    user_id: UserId
    owner: Wallet
    vault: Address
    leaders_max: int
    allocation_bps: int
    caps: Caps
    follows: tuple[Follow, ...] = ()
    held: frozenset[Wallet] = frozenset()


@dataclass(frozen=True, slots=True)
class FollowChanges:
    """What a ranking makes of one subscription's follows, by leader.

    `restored` are copied again after a time of exits only. `exit_only` may be followed already or, held from before, not yet.
    """

    opened: tuple[Wallet, ...] = ()
    restored: tuple[Wallet, ...] = ()
    exit_only: tuple[Wallet, ...] = ()
    ended: tuple[Wallet, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.opened or self.restored or self.exit_only or self.ended)


def changes(subscription: Subscription, ranking: Sequence[Ranked]) -> FollowChanges:
    """The best `leaders_max` are copied. Who left them is kept for exits until the vault holds nothing of his. Nobody copies himself."""
    own = (subscription.owner, subscription.vault)
    others = (each.wallet for each in sorted(ranking, key=lambda each: each.rank) if each.wallet not in own)
    wanted = tuple(dict.fromkeys(others))[: subscription.leaders_max]
    followed = {follow.leader: follow for follow in subscription.follows}
    left = [follow for leader, follow in followed.items() if leader not in wanted]
    return FollowChanges(
        opened=tuple(leader for leader in wanted if leader not in followed),
        restored=tuple(leader for leader in wanted if leader in followed and followed[leader].mode is FollowMode.EXIT_ONLY),
        exit_only=(
            *(each.leader for each in left if each.leader in subscription.held and each.mode is FollowMode.COPY),
            *(leader for leader in sorted(subscription.held) if leader not in followed and leader not in wanted),
        ),
        ended=tuple(each.leader for each in left if each.leader not in subscription.held),
    )
