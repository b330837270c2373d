-- A worker leaves its group, or another one strikes it off: what it owns goes to nobody, past every lease, and the
-- worker is forgotten.
-- In one step: an entry that is handed to a worker just before it is forgotten would be lost with it.
-- KEYS  channels, workers    ARGV  group, worker, nobody, idle_ms
local group, worker, nobody, idle = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
for _, entry in ipairs(redis.call('XPENDING', KEYS[1], group, '-', '+', 10000, worker)) do
  redis.call('XCLAIM', KEYS[1], group, nobody, 0, entry[1], 'IDLE', idle, 'JUSTID')
end
redis.call('ZREM', KEYS[2], worker)
return redis.call('XGROUP', 'DELCONSUMER', KEYS[1], group, worker)
