"""What a session may do. Reading the public overview needs none."""

from enum import StrEnum


class Permission(StrEnum):
    """READ_ACCOUNT to CONTROL_BOT concern the session's own wallet; OPERATE stops and resumes everybody's trading."""

    READ_ACCOUNT = "account:read"
    WRITE_ACCOUNT = "account:write"
    BUILD_VAULT = "vault:build"
    CONTROL_BOT = "bot:control"
    OPERATE = "bot:operate"


FOLLOWER = frozenset({Permission.READ_ACCOUNT, Permission.WRITE_ACCOUNT, Permission.BUILD_VAULT, Permission.CONTROL_BOT})
OPERATOR = FOLLOWER | {Permission.OPERATE}
# A visitor of the page of a local chain, who has no wallet: sees what everybody sees and may press stop.
VISITOR = frozenset({Permission.OPERATE})
