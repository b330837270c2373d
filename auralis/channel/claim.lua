-- Renews what a worker still owns and takes over what workers past their lease own.
-- Only an owner can renew: a worker that was stopped past its lease must not take back what another one has taken.
-- A worker's rounds are its only signs of life here. The idle time of its consumer is none: what others hand over to a
-- dead worker resets it, and before Redis 7.2 a worker that owns nothing has no consumer at all. (Whose connection has
-- ended is struck off by another: leave.lua.)
-- KEYS  channels, workers    ARGV  group, worker, lease_ms
-- Gives {own entries, entries just taken over}
local group, worker, lease = ARGV[1], ARGV[2], tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[2], now, worker)
local own, taken = {}, {}
for _, entry in ipairs(redis.call('XPENDING', KEYS[1], group, '-', '+', 10000, worker)) do
  redis.call('XCLAIM', KEYS[1], group, worker, 0, entry[1], 'JUSTID')
  own[#own + 1] = entry[1]
end
local cursor = '0-0'
repeat -- one call scans only a part
  local reply = redis.call('XAUTOCLAIM', KEYS[1], group, worker, lease, cursor, 'JUSTID')
  cursor = reply[1]
  for _, id in ipairs(reply[2]) do taken[#taken + 1] = id end
until cursor == '0-0'

for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - 100 * lease)) do
  if #redis.call('XPENDING', KEYS[1], group, '-', '+', 1, gone) == 0 then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], group, gone)
    redis.call('ZREM', KEYS[2], gone)
  end
end
return {own, taken}
