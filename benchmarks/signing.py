"""What a DKIM signature costs: CPU a message signed, against unsigned plus one bare signature.

The bare figure is ``cryptography``'s RSA-2048 signature over as many bytes as a signed header
block has, in a loop: nobody can sign for less. It is taken in two threads at once, because that is
how the engine signs and because a core is slower while its neighbour is busy, as it is in every
sending. What we add to it (the body's hash, the canonical headers, the field itself) and what
handing work to threads costs is the rest of the ratio.
"""

from __future__ import annotations

import threading
import time

from benchmarks import contest
from benchmarks.engine import new_key
from benchmarks.rig import (
    Measure,
    Options,
    Result,
    Row,
    Sink,
    Spread,
    main,
    ratio,
    say,
    scratch,
    table,
)

TARGET = 1.25
HEADER_BYTES = 1500
THREADS = 2


def measure(options: Options) -> Result:
    """Measure signed and unsigned sendings, turn and turn about."""
    readers = options.pick(10_000, 2_000)
    result = Result("Signing with RSA-2048")
    bare: list[float] = []
    plain: list[Measure] = []
    signed: list[Measure] = []
    with scratch() as folder, Sink() as sink:
        lists = contest.Lists(folder)
        for number in range(options.rounds):
            bare.append(1000 * bare_signature(options.pick(1_500, 500)))
            for is_signed in (False, True) if number % 2 else (True, False):
                run = contest.send(lists, sink, readers, is_signed=is_signed)
                (signed if is_signed else plain).append(run)
            costs = bare[-1], plain[-1].cpu_ms, signed[-1].cpu_ms
            say(
                "  round {}: bare {:.3f} ms, unsigned {:.3f}, signed {:.3f}".format(
                    number + 1, *costs
                )
            )
    ratios = [
        with_it.cpu_ms / (one + without.cpu_ms)
        for one, without, with_it in zip(bare, plain, signed, strict=True)
    ]
    text, is_met = ratio(ratios, TARGET, is_floor=False)
    figure = "CPU a signed message against a bare signature plus the unsigned message"
    result.rows.append(Row(figure, f"<= {TARGET} x", text, is_met))
    result.details.append(
        table(
            ["what", "CPU, ms", "messages a second"],
            [
                ["one bare RSA-2048 signature, in two threads", Spread.of(bare).text(3), "-"],
                *(
                    [
                        name,
                        Spread.of([run.cpu_ms for run in runs]).text(3),
                        Spread.of([run.rate for run in runs]).text(0),
                    ]
                    for name, runs in (("unsigned message", plain), ("signed message", signed))
                ),
            ],
        )
    )
    return result


def bare_signature(count: int) -> float:
    """Return the CPU seconds of one RSA-2048 signature."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    key = serialization.load_pem_private_key(new_key(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError(key)
    data = b"x" * HEADER_BYTES

    def sign() -> None:
        for _ in range(count // THREADS):
            key.sign(data, padding.PKCS1v15(), hashes.SHA256())

    threads = [threading.Thread(target=sign) for _ in range(THREADS)]
    begun = time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (time.process_time() - begun) / count


if __name__ == "__main__":
    main(measure, __doc__ or "")
