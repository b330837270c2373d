-- Creates a channel's state once; its epoch is the broker's time of that moment.
-- KEYS  state
-- ARGV  field, value, ...
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], 'epoch_us', string.format('%d', time[1] * 1000000 + time[2]),
  'version', 0, 'revision', 0, 'until_frame', 0, 'composed_revision', 0, unpack(ARGV))
return 1
