"""What the hub refuses.

ConversationError
├── NothingToSay     neither text nor a file
├── CannotReply      the consent gate or the channel says no; the reason is for the agent
└── CannotAct        the channel, the message or the role does not allow it; the reason is for the agent
"""


class ConversationError(Exception):
    """A refusal in words for the person who asked."""


class NothingToSay(ConversationError):
    pass


class CannotReply(ConversationError):
    pass


class CannotAct(ConversationError):
    pass
