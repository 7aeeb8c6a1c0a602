"""Keeps the follows of every subscription equal to what the newest ranking says. Run by the trade-bot, again and again."""

from xorj.copying.ports import SubscriptionStore
from xorj.copying.subscription import FollowChanges, Subscription, changes
from xorj.primitives.clock import ChainClock


async def follow_ranking(subscriptions: SubscriptionStore, clock: ChainClock) -> list[tuple[Subscription, FollowChanges]]:
    """Opens, restores, limits and ends follows; the changes made. Repeating it changes nothing more."""
    ranking = await subscriptions.newest_ranking()
    if ranking is None:
        return []
    wanted = [(each, changes(each, ranking)) for each in await subscriptions.active()]
    made = [(subscription, change) for subscription, change in wanted if change]
    if made:
        slot = (await clock.now()).slot
        for subscription, change in made:
            await subscriptions.apply(subscription, change, slot=slot)
    return made
