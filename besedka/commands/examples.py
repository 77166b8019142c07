"""What each command is called like: the end of its help. A test gives every line to the parser."""

EXAMPLES = {
    "up": ("up", "up --stack=containers --reuse", "up --chat-client /srv/rocketchat/programs/web.browser"),
    "down": ("down",),
    "status": ("status", "status --lang ru"),
    "logs": ("logs rocketchat -n 200",),
    "env": ("env site",),
    "doctor": (
        "doctor",
        "doctor --check rooms --check sso.authorize",
        "doctor --chat-url http://127.0.0.1:3000 --json",
    ),
    "provision": ("provision --plan", "provision --apply", "provision --undo --plan"),
    "restart": (
        "restart --plan",
        "restart --only rocketchat",
        "restart --restore .besedka/restart/x/dumps/y",
    ),
    "upgrade": ("upgrade --from 6.4.8 --to 7.7.1 --plan", "upgrade --from 6.4.8 --to 7.7.1 --tests"),
    "conformance": ("conformance --stack embedded", "conformance --stack attached -k rooms"),
    "bundle": ("bundle", "bundle .besedka/runs/x --to x.zip"),
    "merge": ("merge one two --to whole",),
    "announce": ("announce --dry-run .besedka/runs/x",),
    "load": ("load --users 200 --minutes 5", "load --users 1000 -- --master --expect-workers=4"),
    "summary": ("summary --lang ru",),
}
