"""Rates per account, shared by all workers through Valkey: one token bucket in a script.

Nobody waits holding a message: a worker takes what it may send now and is told when to ask again. Without Valkey a
worker goes on at a careful share of its own.
"""

import time

from redis.asyncio import Redis
from redis.exceptions import RedisError

# The server's clock, so that workers with different clocks agree. A block (429 with Retry-After) holds everyone.
_TAKE = """
local now = redis.call('TIME')
now = now[1] + now[2] / 1000000
local blocked = tonumber(redis.call('GET', KEYS[1] .. ':until') or '0')
if blocked > now then return {0, tostring(blocked - now)} end
local rate, wanted, reserve = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local burst = math.max(1, rate * 0.2)
local state = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = math.min(burst, (tonumber(state[1]) or burst) + (now - (tonumber(state[2]) or now)) * rate)
local given = math.max(0, math.min(wanted, math.floor(tokens - reserve * burst)))
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens - given), 'at', tostring(now))
redis.call('PEXPIRE', KEYS[1], 60000)
local wait = 0
if given == 0 then wait = math.max(0.005, (1 + reserve * burst - tokens) / rate) end
return {given, tostring(wait)}
"""
LONE_SHARE = 0.25  # of the rate, for a worker that cannot see the others


class Limiter:
    def __init__(self, url: str) -> None:
        # One short attempt: while Valkey is away, sending goes on carefully instead of waiting.
        self._client = Redis.from_url(url, socket_timeout=1, socket_connect_timeout=0.5)
        self._take = self._client.register_script(_TAKE)
        self._alone: dict[int, tuple[float, float]] = {}
        self._blocked: dict[int, float] = {}

    async def take(self, account_id: int, rate: float, wanted: int, *, urgent: bool) -> tuple[int, float]:
        """How many requests may go now, and after how many seconds to ask again if none may.

        The last part of the bucket is kept for urgent messages, so that they find room in a busy account.
        """
        try:
            given, wait = await self._take(
                keys=[f"loa:rate:{account_id}"], args=[rate, wanted, 0 if urgent or rate < 10 else 0.25]
            )
            return int(given), float(wait)
        except (RedisError, OSError):
            return self._take_alone(account_id, rate * LONE_SHARE, wanted)

    async def block(self, account_id: int, seconds: float) -> None:
        """The provider told us to wait: nobody sends for this account until then."""
        until = time.time() + min(seconds, 3600)
        self._blocked[account_id] = time.monotonic() + min(seconds, 3600)
        try:
            await self._client.set(f"loa:rate:{account_id}:until", until, px=int(min(seconds, 3600) * 1000) + 1)
        except (RedisError, OSError):
            return  # our own note still holds this worker back

    async def wait_blocked(self, account_id: int) -> float:
        """Seconds for which the account is blocked: for accounts without a rate."""
        try:
            until = float(await self._client.get(f"loa:rate:{account_id}:until") or 0)
            return max(0.0, until - time.time())
        except (RedisError, OSError, ValueError):
            return max(0.0, self._blocked.get(account_id, 0) - time.monotonic())

    def _take_alone(self, account_id: int, rate: float, wanted: int) -> tuple[int, float]:
        now = time.monotonic()
        if (blocked := self._blocked.get(account_id, 0) - now) > 0:
            return 0, blocked
        tokens, at = self._alone.get(account_id, (1.0, now))
        tokens = min(max(1.0, rate * 0.2), tokens + (now - at) * rate)
        given = min(wanted, int(tokens))
        self._alone[account_id] = (tokens - given, now)
        return given, 0.0 if given else max(0.005, (1 - tokens) / rate)

    async def close(self) -> None:
        await self._client.aclose()
