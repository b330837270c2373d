-- How many entries each living worker of a group owns.
-- KEYS  channels, workers    ARGV  group, lease_ms
-- Gives {worker, entries, worker, entries, ...}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local pending, loads = {}, {}
for _, consumer in ipairs(redis.call('XPENDING', KEYS[1], ARGV[1])[4] or {}) do
  pending[consumer[1]] = tonumber(consumer[2])
end
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], now - ARGV[2], '+inf')) do
  loads[#loads + 1] = worker
  loads[#loads + 1] = pending[worker] or 0
end
return loads
