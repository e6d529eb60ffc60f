"""aiosmtplib, a task for each connection, the message made beforehand; uvloop where present.

Usage: aiosmtplib_pool.py PORT COUNT CONNECTIONS MESSAGE_FILE
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from itertools import count
from pathlib import Path

import aiosmtplib


async def send() -> dict[str, float]:
    port, total, connections = (int(word) for word in sys.argv[1:4])
    message = Path(sys.argv[4]).read_bytes()
    numbers = count()
    accepted = 0

    async def work() -> None:
        nonlocal accepted
        smtp = aiosmtplib.SMTP(
            hostname="127.0.0.1", port=port, local_hostname="bench.example", start_tls=False
        )
        async with smtp:
            while (number := next(numbers)) < total:
                reader = f"r{number}@d{number % 50}.example"
                await smtp.sendmail("bounces@lantern.example", [reader], message)
                accepted += 1

    print("sending", flush=True)
    begun, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(connections)))
    return {
        "messages": accepted,
        "seconds": time.perf_counter() - begun,
        "cpu_s": time.process_time() - cpu,
    }


def main() -> None:
    try:
        import uvloop
    except ModuleNotFoundError:
        found = asyncio.run(send())
    else:
        found = uvloop.run(send())
    print(json.dumps(found))


main()
