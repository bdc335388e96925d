"""What is done to posts and messages that exist: ours are deleted, theirs are liked, or hidden under ours."""

import contextlib

from channels_adapters.adapters.x.client import Client
from channels_adapters.adapters.x.errors import Gone
from channels_adapters.adapters.x.posts import PUBLIC
from channels_adapters.contract import OutboundAct, Refused
from channels_adapters.reading import Fields


async def act(client: Client, act: OutboundAct, me: str) -> None:
    """Raises Retryable, Refused or Uncertain. Each may be done twice without harm."""
    if not act.target.isdecimal():
        raise Refused("this is no post on X")
    is_public = act.thread_id.startswith(PUBLIC)
    match act.kind:
        case "delete" if is_public:
            for post in (await _chain(client, act.target, me))[::-1]:
                await _delete(client, f"/2/tweets/{post}")
        case "delete":
            await _delete(client, f"/2/dm_events/{act.target}")
        case "like" if is_public:
            await client.ask("POST", f"/2/users/{me}/likes", json={"tweet_id": act.target})
        case "unlike" if is_public:
            await client.ask("DELETE", f"/2/users/{me}/likes/{act.target}")
        case "hide" | "unhide" if is_public:
            await client.ask("PUT", f"/2/tweets/{act.target}/hidden", json={"hidden": act.kind == "hide"})
        case _:
            raise Refused("X cannot do this")


async def _delete(client: Client, path: str) -> None:
    with contextlib.suppress(Gone):
        await client.ask("DELETE", path)


async def _chain(client: Client, target: str, me: str) -> list[str]:
    """Our post and those of ours that go on from it, in order."""
    params = {"max_results": 100, "since_id": target, "tweet.fields": "referenced_tweets"}
    answer, chain = await client.get(f"/2/users/{me}/tweets", **params), [target]
    for post in list(answer.many("data"))[::-1]:
        if _replied(post) == chain[-1]:
            chain.append(post.text("id"))
    return chain


def _replied(post: Fields) -> str:
    return next(
        (other.text("id") for other in post.many("referenced_tweets") if other.text("type") == "replied_to"), ""
    )
