"""What is done to messages that exist: ours edited and deleted, any of them reacted to."""

from telegram import Bot, ReactionTypeEmoji
from telegram.error import BadRequest

from channels_adapters.adapters.telegram.sending import Place, keyboard
from channels_adapters.contract import OutboundAct, Refused
from conversations.text import clean

# https://core.telegram.org/bots/api#reactiontypeemoji: the ones a bot may set, those that agents use first
EMOJIS = tuple("👍 ❤ 😁 🙏 🎉 🔥 👏 🤔 😢 👎 🤝 👌 💯 😍 🤩 🥰 😱 🫡 ✍ 👀 🤗 🆒 🏆 ⚡ 😇 😎 🤷 😭 😐 😡".split())
_DONE_BEFORE = ("message is not modified", "message to delete not found")


async def do(bot: Bot, act: OutboundAct) -> None:
    """Do it. A second time it changes nothing. Raises PTB's errors, or Refused."""
    place = Place.of(act.thread_id)
    if not (act.target.isascii() and act.target.isdigit()):
        raise Refused("this is no Telegram message")  # a pressed button, a slash command
    try:
        await _do(bot, act, place.chat_id, int(act.target))
    except BadRequest as error:
        if not any(words in error.message.lower() for words in _DONE_BEFORE):
            raise


async def _do(bot: Bot, act: OutboundAct, chat_id: int, message_id: int) -> None:
    if act.kind == "edit":
        markup = keyboard(act.answers.get("buttons") or ())
        await bot.edit_message_text(clean(act.text), chat_id, message_id, reply_markup=markup)
    elif act.kind == "delete":
        await bot.delete_message(chat_id, message_id)
    elif act.kind == "react":
        emoji = act.text.rstrip("\ufe0f")  # Telegram's hearts have no variation selector
        await bot.set_message_reaction(chat_id, message_id, [ReactionTypeEmoji(emoji)] if emoji else [])
    else:
        raise Refused("Telegram cannot do this")
