"""The reference for dispatch: a bare HTTP client without any ledger. `python -m bench.client URL COUNT`.

aiohttp, uvloop, orjson, a hundred requests in flight, personalised texts. Prints seconds and CPU seconds as JSON.
"""

import asyncio
import itertools
import sys
import time

import aiohttp
import orjson
import uvloop

from bench.installation import BODY, phone

IN_FLIGHT = 100


async def main(url: str, count: int) -> None:
    numbers = itertools.count()
    head, middle = BODY.replace("{{ dia_ban }}", "{{ ten }}").split("{{ ten }}", 1)
    middle, tail = middle.split("{{ ten }}")
    headers = {"Content-Type": "application/json", "Authorization": "Bearer bench"}

    async def worker(session: aiohttp.ClientSession) -> None:
        while (n := next(numbers)) < count:
            text = f"{head}Nguyễn Văn {n}{middle}Xã số {n % 100}{tail}"
            message = {"reference": str(n), "to": phone(n), "text": text}
            body = orjson.dumps({"sender": "", "callback": "", "messages": [message]})
            async with session.post(f"{url}/messages", data=body, headers=headers) as response:
                orjson.loads(await response.read())

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=IN_FLIGHT)) as session:
        begin, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(worker(session) for _ in range(IN_FLIGHT)))
        print(orjson.dumps({"seconds": time.perf_counter() - begin, "cpu": time.process_time() - cpu}).decode())


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2])))
