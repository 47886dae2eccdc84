"""A gateway's reports at full rate: `python -m bench.caller CALLBACK KEY` with references on standard input.

One signed callback for each, fifty under way. Prints seconds and the 99th percentile of the answer's time as JSON.
"""

import asyncio
import sys
import time

import orjson
import uvloop

from channels_adapters.core.http import HttpTransport, TransportError
from channels_adapters.core.signatures import sign_timed

AT_ONCE = 50


async def main(callback: str, key: str, references: list[str]) -> None:
    waiting = iter(references)
    times: list[float] = []

    async def caller(transport: HttpTransport) -> None:
        for reference in waiting:
            body = orjson.dumps({"receipts": [{"reference": reference, "state": "delivered"}]})
            while True:
                headers = {"X-Loa-Signature": sign_timed(key, body, time.time()), "Content-Type": "application/json"}
                begin = time.perf_counter()
                try:
                    if (await transport.request("POST", callback, headers=headers, body=body)).ok:
                        times.append(time.perf_counter() - begin)
                        break
                except TransportError:
                    pass
                await asyncio.sleep(0.2)  # as gateways do: not acknowledged, reported again

    async with HttpTransport(max_connections=AT_ONCE, idle_timeout=3.0) as transport:
        begin = time.perf_counter()
        await asyncio.gather(*(caller(transport) for _ in range(AT_ONCE)))
        seconds = time.perf_counter() - begin
    times.sort()
    figures = {"seconds": seconds, "p99_ms": times[int(len(times) * 0.99)] * 1000, "start": begin - STARTED}
    print(orjson.dumps(figures).decode())


STARTED = time.perf_counter()
if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], sys.stdin.read().split()))
