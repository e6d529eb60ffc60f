"""The standard library's client in threads: one connection each, the message made beforehand.

Usage: smtplib_threads.py PORT COUNT CONNECTIONS MESSAGE_FILE
"""

from __future__ import annotations

import json
import smtplib
import sys
import threading
import time
from itertools import count
from pathlib import Path


def main() -> None:
    port, total, connections = (int(word) for word in sys.argv[1:4])
    message = Path(sys.argv[4]).read_bytes()
    numbers = count()
    accepted = [0] * connections

    def work(mine: int) -> None:
        with smtplib.SMTP("127.0.0.1", port, local_hostname="bench.example") as smtp:
            while (number := next(numbers)) < total:
                reader = f"r{number}@d{number % 50}.example"
                smtp.sendmail("bounces@lantern.example", [reader], message)
                accepted[mine] += 1

    print("sending", flush=True)
    begun, cpu = time.perf_counter(), time.process_time()
    threads = [threading.Thread(target=work, args=(mine,)) for mine in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds, cpu_s = time.perf_counter() - begun, time.process_time() - cpu
    print(json.dumps({"messages": sum(accepted), "seconds": seconds, "cpu_s": cpu_s}))


main()
