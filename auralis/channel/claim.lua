-- Renews what a worker still owns and takes over what workers past their lease own.
-- Only an owner can renew: a worker that was stopped past its lease must not take back what another one has taken.
-- KEYS  channels    ARGV  group, worker, lease_ms
-- Gives {own entries, entries just taken over}
local group, worker, lease = ARGV[1], ARGV[2], ARGV[3]
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
for _, fields in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], group)) do
  local consumer = {}
  for i = 1, #fields, 2 do consumer[fields[i]] = fields[i + 1] end
  if consumer.pending == 0 and consumer.idle > 100 * lease then -- long gone
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], group, consumer.name)
  end
end
return {own, taken}
