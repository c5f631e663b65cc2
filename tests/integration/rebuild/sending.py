"""`python -m tests.integration.rebuild.sending DSN TOPIC BOOTSTRAP`: to be killed in between."""

import asyncio
import sys

from libs.events.resending import send_again

if __name__ == "__main__":
    dsn, topic, bootstrap = sys.argv[1:]
    asyncio.run(send_again(dsn, topic=topic, bootstrap=bootstrap))
